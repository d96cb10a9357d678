import Connecting
import Foundation

/// The program of torture, built beside the tests: workers that can be killed, and that see a full disk.
enum TortureProgram {
  struct Ended {
    var status: Int32
    var said: String
  }

  private static let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("transfer-torture").path

  /// On a thread of its own: the engine's wires in other tests need the cooperative ones, and hold transactions meanwhile.
  static func run(_ arguments: [String], killedAfter life: Duration? = nil) async throws -> Ended {
    try await BlockingThread.run { try runToEnd(arguments, life) }
  }

  private static func runToEnd(_ arguments: [String], _ life: Duration?) throws -> Ended {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    // A file, not a pipe: a pipe's end leaks into the servers that other tests start, and its reader would wait for them.
    let output = NSTemporaryDirectory() + "sanjiang-crash-" + UUID().uuidString
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    defer { try? FileManager.default.removeItem(atPath: output) }
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    if let life {
      let end = ContinuousClock.now + life
      while process.isRunning, ContinuousClock.now < end { usleep(2000) }
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
    process.waitUntilExit()
    return Ended(status: process.terminationStatus, said: try String(contentsOfFile: output, encoding: .utf8))
  }
}
