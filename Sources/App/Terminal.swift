import ArgumentParser
import Foundation
import Kernel
import Web

/// What an operator reads: results on standard output, progress and complaints on standard error.
enum Terminal {
  /// What is wrong with how a command was called, in the reader's language.
  static func usage(_ chinese: String, _ english: String) -> ValidationError {
    ValidationError(language(chinese, english))
  }

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
  static func printJSON(_ pairs: [(String, JSON)]) { print(JSON.object(pairs).text) }
}
