import Foundation
import Synchronization

/// The receiver of messages that the documentation gives to copy from, as a process of its own: it can be killed at any
/// moment and started again on its file and its port. It ends with this process, however that ends.
package final class MessageReceiver: Sendable {
  package static let secret = "a secret of 24 bytes, ok"

  package let port: Int
  /// Its SQLite file, which a test may look into.
  package let database: String
  private let arguments: [String]
  private let secret: String
  private let folder: String
  private let process = Mutex<Process?>(nil)

  /// `place`: the folder in which it has one of its own.
  package init(
    _ arguments: [String] = [], secret: String = MessageReceiver.secret, in place: String = NSTemporaryDirectory()
  ) throws {
    port = try freePort()
    self.secret = secret
    self.arguments = arguments
    folder = place + "/sanjiang-receiver-" + UUID().uuidString.lowercased()
    database = folder + "/received.db"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try start()
  }

  package var base: String { "http://127.0.0.1:\(port)" }

  /// What a department would fill in.
  package var settings: [String: String] { ["address": base, "secret": secret] }

  /// The project's documentation, beside this source, whichever way it was reached.
  package static let documents: String = {
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().resolvingSymlinksInPath()
    return source.appendingPathComponent("../../../docs").standardized.path
  }()

  private static let program = documents + "/examples/message_receiver.py"

  package func start() throws {
    let server = Process()
    server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let frame = """
      import os, runpy, sys, threading, time
      def watch():
        while os.getppid() == \(getpid()): time.sleep(0.3)
        os._exit(0)
      threading.Thread(target=watch, daemon=True).start()
      sys.argv = sys.argv[1:]
      sys.dont_write_bytecode = True
      runpy.run_path(sys.argv[0], run_name="__main__")
      """
    server.arguments =
      ["python3", "-c", frame, Self.program, "--port", "\(port)", "--database", database] + arguments
    server.environment = ProcessInfo.processInfo.environment.merging(["MESSAGE_SECRET": secret]) { $1 }
    server.standardInput = FileHandle.nullDevice
    server.standardOutput = FileHandle.nullDevice
    server.standardError = FileHandle.nullDevice
    try server.run()
    process.withLock { $0 = server }
    for _ in 0..<400 {
      if answers(at: port) { return }
      usleep(25_000)
    }
    throw Tool.Failure(description: "the receiver of messages did not start")
  }

  /// As a crash would.
  package func kill() {
    process.withLock { server in
      guard let running = server else { return }
      Foundation.kill(running.processIdentifier, SIGKILL)
      running.waitUntilExit()
      server = nil
    }
  }

  deinit {
    kill()
    try? FileManager.default.removeItem(atPath: folder)
  }
}
