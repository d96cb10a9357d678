import Foundation
import TestKit

/// What one program used, with everything it started and waited for.
struct Measured {
  var wall = 0.0
  var cpu = 0.0
  /// The largest process among them.
  var peakMiB = 0
  /// Of the database servers, meanwhile.
  var serverCPU = 0.0
  var status: Int32 = 0
  var said = ""

  /// Runs a command; what it prints goes to a file and is answered.
  static func run(_ command: String, servers: [pid_t], scratch: String) throws -> Measured {
    let log = scratch + "/said-" + UUID().uuidString
    defer { unlink(log) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let words = ["/bin/bash", "-o", "pipefail", "-c", command]
    var arguments = words.map { strdup($0) } + [nil]
    var environment = ProcessInfo.processInfo.environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in arguments + environment { free(text) } }
    let (before, start) = (serverSeconds(servers), Usage.now())
    var process = pid_t()
    guard posix_spawn(&process, words[0], &actions, nil, &arguments, &environment) == 0 else {
      return Measured(status: -1, said: "bash could not be started")
    }
    var (state, usage): (Int32, rusage) = (0, rusage())
    while wait4(process, &state, 0, &usage) < 0, errno == EINTR {}
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    var found = Measured()
    found.wall = (Usage.now() - start).wall
    found.cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime)
    found.peakMiB = usage.ru_maxrss / 1024
    // A server's process for an ended connection is counted once its parent has waited for it.
    if !servers.isEmpty { usleep(200_000) }
    found.serverCPU = serverSeconds(servers) - before
    found.status = state
    found.said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    return found
  }

  /// Seconds of CPU of these servers.
  static func serverSeconds(_ servers: [pid_t]) -> Double { servers.reduce(0) { $0 + serverSeconds($1) } }

  /// Of a server: its first process's own, those of all its children that have ended and were waited for,
  /// and those of its living children.
  private static func serverSeconds(_ first: pid_t) -> Double {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    let ticks = all.compactMap { pid_t($0) }.reduce(0) { sum, process in
      guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        let end = text.lastIndex(of: ")")
      else { return sum }
      let fields = text[text.index(after: end)...].split(separator: " ")
      guard fields.count > 14, process == first || pid_t(fields[1]) == first else { return sum }
      // utime, stime, and the same of children that were waited for.
      return sum + fields[11...14].reduce(0) { $0 + (Int($1) ?? 0) }
    }
    return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}

extension PostgresServer {
  /// Its first process.
  var pids: [pid_t] { firstProcess(folder + "/data/postmaster.pid") }
}

extension MariaDBServer {
  var pids: [pid_t] { firstProcess(folder + "/pid") }
}

private func firstProcess(_ file: String) -> [pid_t] {
  let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
  return text.split(separator: "\n").first.flatMap { pid_t($0) }.map { [$0] } ?? []
}
