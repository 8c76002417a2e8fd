// How the pages' markup is judged: by all that html-validate recommends and knows of accessibility. No rule is off.

export default {
  root: true,
  extends: ["html-validate:recommended", "html-validate:a11y", "html-validate:document"],
  rules: {
    "doctype-style": ["error", { style: "lowercase" }],
    "require-sri": ["error", { target: "crossorigin" }], // our own files are named by their digest
  },
};
