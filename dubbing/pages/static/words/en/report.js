// English: report.html.

export default {
  "report.alone": "The film is not beside this page: lines that need a person can be heard, others cannot.",
  "report.in-film": "Hear it in the film",
  "report.lines": "Lines: {count}",
};
