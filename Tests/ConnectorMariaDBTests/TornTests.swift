import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorMariaDB

/// Connections that break in the middle of an answer.
@Suite struct TornTests {
  /// Passes on to a server's socket, and back to the client no more bytes than the file says.
  private static let proxy = """
    import socket
    def serve(client):
      server = socket.socket(socket.AF_UNIX)
      server.connect(ARGS[0])
      left = int(open(ARGS[1]).read())
      def up():
        try:
          while data := client.recv(65536): server.sendall(data)
        except OSError: pass
      threading.Thread(target=up, daemon=True).start()
      try:
        while left > 0 and (data := server.recv(min(left, 65536))):
          left -= len(data)
          client.sendall(data)
      except OSError: pass
      # Not only closed: the other thread still waits for the client.
      for one in (client, server):
        try: one.shutdown(socket.SHUT_RDWR)
        except OSError: pass
    door = socket.create_server(("127.0.0.1", PORT))
    while True:
      threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()
    """

  /// All that was asked for, or what went wrong.
  private func ask(_ port: Int, _ allowed: Int, _ file: String) throws -> [[String?]]? {
    try "\(allowed)".write(toFile: file, atomically: true, encoding: .utf8)
    do throws(ConnectorError) {
      let address = MariaDBAddress(host: "127.0.0.1", port: port, database: "mysql", user: "root", zone: 0)
      return try MariaDBConnection(address).run("SELECT seq FROM seq_1_to_20")
    } catch {
      #expect(error.kind == .retryable, "\(allowed): \(error)")
      return nil
    }
  }

  @Test func `wherever a connection breaks, an answer is whole or it is an error`() throws {
    let server = try MariaDBServer.shared.get()
    let file = NSTemporaryDirectory() + "sanjiang-allowed-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: file) }
    try "1000000".write(toFile: file, atomically: true, encoding: .utf8)
    let proxy = try ScriptServer(Self.proxy, [server.socket, file])
    let whole = (1...20).map { [Optional("\($0)")] }
    // How many bytes a whole answer takes: too few by halves.
    var (short, enough) = (0, 1 << 16)
    while enough - short > 1 {
      let middle = (short + enough) / 2
      if try ask(proxy.port, middle, file) != nil { enough = middle } else { short = middle }
    }
    // All of the last answer's bytes, and some of what comes before.
    for allowed in max(1, enough - 350)...enough {
      let rows = try ask(proxy.port, allowed, file)
      #expect(rows == nil || rows == whole, "\(allowed) of \(enough) bytes gave \(rows?.count ?? 0) rows")
    }
    #expect(try ask(proxy.port, enough, file) == whole)
  }
}
