// 简体中文：report.html。

export default {
  "report.alone": "影片不在此页面旁边：只能试听需要人工检查的台词。",
  "report.in-film": "在影片中试听",
  "report.lines": "台词：{count}",
};
