import Foundation

/// `sanjiang` as an operator runs it: the program built beside the tests, in a process of its own.
struct Program {
  static let path = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("sanjiang").path

  struct Answer {
    var status: Int32
    var printed: String
    var complained: String
    /// What it said, wherever.
    var said: String { printed + complained }
  }

  private let process = Process()
  private let base = NSTemporaryDirectory() + "sanjiang-program-" + UUID().uuidString

  /// In English, in `folder`, with these variables besides.
  init(_ arguments: [String], in folder: String = "/tmp", environment: [String: String] = [:]) throws {
    for end in [".out", ".err"] { _ = FileManager.default.createFile(atPath: base + end, contents: nil) }
    process.executableURL = URL(fileURLWithPath: Self.path)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ProcessInfo.processInfo.environment.merging(["SANJIANG_LANG": "en"]) { _, new in new }
      .merging(environment) { _, new in new }
    process.standardOutput = FileHandle(forWritingAtPath: base + ".out")
    process.standardError = FileHandle(forWritingAtPath: base + ".err")
    process.standardInput = FileHandle.nullDevice
    try process.run()
  }

  var id: Int32 { process.processIdentifier }

  func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  var complainedSoFar: String { (try? String(contentsOfFile: base + ".err", encoding: .utf8)) ?? "" }

  func wait() throws -> Answer {
    process.waitUntilExit()
    defer { for end in [".out", ".err"] { unlink(base + end) } }
    return Answer(
      status: process.terminationStatus, printed: try String(contentsOfFile: base + ".out", encoding: .utf8),
      complained: try String(contentsOfFile: base + ".err", encoding: .utf8))
  }

  static func run(
    _ arguments: [String], in folder: String = "/tmp", environment: [String: String] = [:]
  ) throws -> Answer {
    try Program(arguments, in: folder, environment: environment).wait()
  }
}
