package import Kernel

/// What a rule says about an entry: how bad, where, why, and whose rule it is.
package struct Finding: Hashable, Sendable {
  package enum Severity: String, Hashable, Sendable, Comparable, CaseIterable {
    /// Must be corrected before the entry can be submitted.
    case error
    /// Probably wrong; the reviewer sees it too.
    case warning
    /// Could be better.
    case hint

    package static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }
    private var rank: Int { self == .error ? 0 : self == .warning ? 1 : 2 }

    package var title: Text {
      switch self {
      case .error: Text("须更正", "Must be corrected")
      case .warning: Text("请核对", "Please check")
      case .hint: Text("建议", "Suggestion")
      }
    }
  }

  package var severity: Severity
  /// Stable, for programs: `name.is-system`.
  package var code: String
  /// The form's field: `name`, `items`, `item.3.length`.
  package var field: String
  package var message: Text
  package var source: Text

  package init(_ severity: Severity, _ code: String, _ field: String, _ message: Text, source: Text) {
    self.severity = severity
    self.code = code
    self.field = field
    self.message = message
    self.source = source
  }

  package var fault: Refusal.Fault { Refusal.Fault(field, message) }
}

extension [Finding] {
  package var hasErrors: Bool { contains { $0.severity == .error } }

  /// A refusal that names every error; nil without one.
  package var refusal: Refusal? {
    let errors = filter { $0.severity == .error }
    return errors.isEmpty ? nil : Refusal.invalid("catalog.findings", errors.map(\.fault))
  }
}

/// Whose rule a finding cites. What was not read in an official text is named as this platform's configured rule.
enum RuleSource {
  static func element(_ number: String) -> Text {
    Text("《政务信息资源目录编制指南（试行）》核心元数据第 \(number) 项", "Compiling guide of 2017, core metadata, element \(number)")
  }
  static func configured(_ number: String) -> Text {
    Text("平台核验规则（参照编制指南核心元数据第 \(number) 项）", "Platform rule (after the compiling guide, element \(number))")
  }
  static let platform = Text("平台核验规则", "Platform rule")
  static let measures = Text(
    "平台核验规则（参照国发〔2016〕51号）", "Platform rule (after State Council 2016 No. 51)")
}
