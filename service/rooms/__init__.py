"""The threads that have readers in this worker: what is known of each, who reads it, and how both are kept level."""

from service.rooms.reader import Reader
from service.rooms.room import Room
from service.rooms.rooms import Rooms

__all__ = ["Reader", "Room", "Rooms"]
