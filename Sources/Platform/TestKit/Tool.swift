import Foundation

/// Another program, run to its end by a test.
package enum Tool {
  package struct Failure: Error, CustomStringConvertible {
    package var description: String
  }

  /// Answers what it printed; throws what it complained of when it did not succeed.
  ///
  /// What it prints goes through a file, not a pipe: a pipe's end leaks into whatever program another test starts at the
  /// same moment, and a server that lives on would keep the reader waiting for ever.
  @discardableResult
  package static func run(_ tool: String, _ arguments: [String]) throws -> String {
    let base = NSTemporaryDirectory() + "sanjiang-tool-" + UUID().uuidString
    let (output, complaints) = (base + ".out", base + ".err")
    defer { for path in [output, complaints] { unlink(path) } }
    for path in [output, complaints] { _ = FileManager.default.createFile(atPath: path, contents: nil) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: "/tmp")
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: complaints)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let said = (try? String(contentsOfFile: complaints, encoding: .utf8)) ?? ""
      throw Failure(description: "\(tool): \(said.prefix(500))")
    }
    return try String(contentsOfFile: output, encoding: .utf8)
  }
}
