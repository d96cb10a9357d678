internal import Kernel

/// An import's outcome as it lies on the desk, in JSON.
struct KeptImport: Codable {
  struct Count: Codable {
    var resources: Int
    var items: Int
  }

  struct Reason: Codable {
    var code: String
    var chinese: String
    var english: String
    var rows: Int
  }

  var file: String
  var kept: Count
  var warned: Int
  var unchanged: Int
  var rejected: Count
  var reasons: [Reason]

  init(_ summary: ImportSummary) {
    file = summary.file
    kept = Count(resources: summary.kept.resources, items: summary.kept.items)
    warned = summary.warned
    unchanged = summary.unchanged
    rejected = Count(resources: summary.rejected.resources, items: summary.rejected.items)
    reasons = summary.reasons.map {
      Reason(code: $0.code, chinese: $0.example.chinese, english: $0.example.english, rows: $0.rows)
    }
  }

  var summary: ImportSummary {
    var summary = ImportSummary(file: file)
    summary.kept = (kept.resources, kept.items)
    summary.warned = warned
    summary.unchanged = unchanged
    summary.rejected = (rejected.resources, rejected.items)
    summary.reasons = reasons.map {
      ImportSummary.Reason(code: $0.code, example: Text($0.chinese, $0.english), rows: $0.rows)
    }
    return summary
  }
}
