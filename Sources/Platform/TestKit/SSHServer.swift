import Foundation
import Synchronization

/// An SFTP server of a test's own: OpenSSH's sshd on a free port of the loopback, with its own host key and one key that
/// may sign in as the user of this process. Ended by its pid, also when this process is killed.
package final class SSHServer: Sendable {
  package let port: Int
  package let user: String
  /// `SHA256:…` of the host's key.
  package let fingerprint: String
  /// The text of the private key that may sign in.
  package let key: String
  /// One that may not.
  package let strangersKey: String
  private let folder: String
  private let process = Mutex<Process?>(nil)

  package init() throws {
    let folder = "/tmp/sanjiang-ssh-" + String(UUID().uuidString.prefix(8)).lowercased()
    self.folder = folder
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    afterThisProcess(removing: folder, "[ -e \"$1/pid\" ] && kill $(cat \"$1/pid\") 2>/dev/null")
    for name in ["host", "user", "stranger"] {
      try Tool.run("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", "\(folder)/\(name)"])
    }
    fingerprint = String(
      try Tool.run("/usr/bin/ssh-keygen", ["-lf", "\(folder)/host.pub"]).split(separator: " ")[1])
    key = try String(contentsOfFile: folder + "/user", encoding: .utf8)
    strangersKey = try String(contentsOfFile: folder + "/stranger", encoding: .utf8)
    user = try Tool.run("/usr/bin/id", ["-un"]).trimmingCharacters(in: .whitespacesAndNewlines)
    try FileManager.default.copyItem(atPath: folder + "/user.pub", toPath: folder + "/authorized")
    let port = try freePort()
    self.port = port
    try """
    Port \(port)
    ListenAddress 127.0.0.1
    HostKey \(folder)/host
    PidFile \(folder)/pid
    AuthorizedKeysFile \(folder)/authorized
    PasswordAuthentication no
    KbdInteractiveAuthentication no
    UsePAM no
    StrictModes no
    PermitRootLogin prohibit-password
    MaxStartups 100
    Subsystem sftp internal-sftp
    """.write(toFile: folder + "/config", atomically: true, encoding: .utf8)
    try start()
  }

  /// As root sshd wants its own folder for what it separates; elsewhere it does without.
  package func start() throws {
    if geteuid() == 0 {
      try? FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
    }
    let server = Process()
    // Behind a shell: sshd closes the descriptor by which Foundation learns that a process has ended, and Foundation would
    // then wait for it on the one thread that sees all others end.
    server.executableURL = URL(fileURLWithPath: "/bin/sh")
    server.arguments = [
      "-c", "\"$@\" & wait", "sh", "/usr/sbin/sshd", "-D", "-f", folder + "/config", "-E", folder + "/log",
    ]
    server.standardInput = FileHandle.nullDevice
    server.standardOutput = FileHandle.nullDevice
    server.standardError = FileHandle.nullDevice
    try server.run()
    process.withLock { $0 = server }
    for _ in 0..<200 {
      // The port may answer before the server is ready to greet.
      if greets { return }
      usleep(25_000)
    }
    throw Tool.Failure(
      description: "sshd did not start: \((try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? "")")
  }

  private var greets: Bool {
    (try? Tool.run("/usr/bin/ssh-keyscan", ["-T", "2", "-p", "\(port)", "127.0.0.1"]))?.contains("ed25519") == true
  }

  /// Ends the server and every session of it, as a crash would.
  package func kill() {
    guard
      let server = process.withLock({ server in
        defer { server = nil }
        return server
      })
    else { return }
    // Sessions are children of the server, and theirs are the ones that serve files.
    for pid in descendants(of: server.processIdentifier).reversed() { Foundation.kill(pid, SIGKILL) }
    Foundation.kill(server.processIdentifier, SIGKILL)
    server.waitUntilExit()
  }

  /// Lets sessions hang, until `thaw`.
  package func freeze() { signal(SIGSTOP) }
  package func thaw() { signal(SIGCONT) }

  private func signal(_ signal: Int32) {
    guard let server = process.withLock({ $0?.processIdentifier }) else { return }
    for pid in [server] + descendants(of: server) { Foundation.kill(pid, signal) }
  }

  package func remove() {
    thaw()
    kill()
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func descendants(of pid: Int32) -> [Int32] {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
    let children = text.split(separator: " ").compactMap { Int32($0) }
    return children + children.flatMap { descendants(of: $0) }
  }
}

/// A port of the loopback that nobody listens at.
package func freePort() throws -> Int {
  let server = try TalkingServer()
  server.stop()
  return server.port
}

/// Whether somebody takes connections there.
package func answers(at port: Int) -> Bool {
  let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(socket) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = UInt16(port).bigEndian
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  return withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
  }
}
