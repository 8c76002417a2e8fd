"""A life on a thread for clients in JavaScript (`life.js`), and what each of them has to see."""

LIFE = {
    "mode": "live",
    "once": True,
    "whole": True,
    "gone": "retracted",
    "missed": ["catchup", [True]],
    "binary": 4501,
    "large": 1009,
    "junk": 4501,
}
SENT_AWAY = {"asked": True, "code": 4001}
