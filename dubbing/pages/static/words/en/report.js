// English: report.html.

export default {
  "report.alone": "The film is not beside this page: you can hear only lines that need a check.",
  "report.in-film": "Hear it in the film",
  "report.lines": "Lines: {count}",
};
