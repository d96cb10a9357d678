import Foundation
import Synchronization

/// A server that a Python script makes, of Python's own modules only: real HTTP that a test can teach to misbehave. The
/// script finds its port as `PORT` and its arguments as `ARGS`; it ends with this process, however that ends.
package final class ScriptServer: Sendable {
  package let port: Int
  private let process: Mutex<Process?>

  package init(_ script: String, _ arguments: [String] = []) throws {
    let port = try freePort()
    self.port = port
    let server = Process()
    server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let frame = """
      import os, sys, threading, time
      PORT, ARGS = int(sys.argv[1]), sys.argv[3:]
      def watch():
        while os.getppid() == int(sys.argv[2]): time.sleep(0.3)
        os._exit(0)
      threading.Thread(target=watch, daemon=True).start()

      """
    server.arguments = ["python3", "-c", frame + script, "\(port)", "\(getpid())"] + arguments
    server.standardInput = FileHandle.nullDevice
    server.standardOutput = FileHandle.nullDevice
    server.standardError = FileHandle.nullDevice
    try server.run()
    process = Mutex(server)
    for _ in 0..<400 {
      if answers(at: port) { return }
      usleep(25_000)
    }
    throw Tool.Failure(description: "the script's server did not start")
  }

  package var base: String { "http://127.0.0.1:\(port)" }

  /// As a crash would.
  package func kill() {
    process.withLock { server in
      guard let running = server else { return }
      Foundation.kill(running.processIdentifier, SIGKILL)
      running.waitUntilExit()
      server = nil
    }
  }

  deinit { kill() }
}
