import Foundation
import Kernel

/// What an operator reads: results on standard output, progress and complaints on standard error.
enum Terminal {
  /// Chinese unless the environment's language is another.
  static let language: Language = {
    let environment = ProcessInfo.processInfo.environment
    let locale = environment["SANJIANG_LANG"] ?? environment["LC_ALL"] ?? environment["LANG"] ?? ""
    return locale.hasPrefix("en") ? .english : .chinese
  }()

  static let isInteractive = isatty(STDERR_FILENO) == 1

  static func print(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
  static func error(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

  /// A line of progress: on a terminal it replaces the one before; in a log only `final` ones are written.
  static func progress(_ text: String, final: Bool = false) {
    guard isInteractive else {
      if final { error(text) }
      return
    }
    FileHandle.standardError.write(Data(("\r\u{1B}[2K" + text + (final ? "\n" : "")).utf8))
  }

  static func complain(_ refusal: Refusal) {
    error(language(refusal.message))
    for fault in refusal.faults where fault.message != refusal.message {
      error("  \(fault.field): \(language(fault.message))")
    }
  }

  /// One JSON object on one line, keys in the order given.
  static func printJSON(_ pairs: [(String, JSONText)]) { print(JSONText.object(pairs).text) }
}

/// JSON as text, written in order.
struct JSONText {
  var text: String

  static func object(_ pairs: [(String, JSONText)]) -> JSONText {
    JSONText(text: "{" + pairs.map { quoted($0.0) + ": " + $0.1.text }.joined(separator: ", ") + "}")
  }
  static func array(_ items: [JSONText]) -> JSONText {
    JSONText(text: "[" + items.map(\.text).joined(separator: ", ") + "]")
  }
  static func string(_ value: String) -> JSONText { JSONText(text: quoted(value)) }
  static func int(_ value: Int) -> JSONText { JSONText(text: String(value)) }
  static func bool(_ value: Bool) -> JSONText { JSONText(text: value ? "true" : "false") }
  static let null = JSONText(text: "null")

  private static func quoted(_ value: String) -> String {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
