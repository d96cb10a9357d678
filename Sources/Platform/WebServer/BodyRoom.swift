import Kernel
import Synchronization
import Web

/// How much the large bodies of all requests may hold in memory together: each is whole in memory until it is answered.
final class BodyRoom: Sendable {
  private let limits: SiteServer.Configuration.LargeBodies
  private let held = Mutex(0)

  init(_ limits: SiteServer.Configuration.LargeBodies) { self.limits = limits }

  /// Takes room for a body of so many bytes, which `leave` gives back. Small ones take none. Throws when the others leave
  /// too little; alone there is always room.
  func enter(_ bytes: Int) throws {
    guard bytes >= limits.from else { return }
    let fits = held.withLock { held in
      guard held == 0 || held + bytes <= limits.together else { return false }
      held += bytes
      return true
    }
    guard !fits else { return }
    var refusal = Refusal(
      .unavailable, "request.busy",
      Text(
        "服务器正在处理其他大的请求，这次提交没有处理。请稍后重新提交，或分成小批提交。",
        "The server is busy with other large requests, and this was not done. Send it again in a while, or in smaller parts."
      ))
    refusal.retryAfter = 10
    throw refusal
  }

  func leave(_ bytes: Int) {
    guard bytes >= limits.from else { return }
    held.withLock { $0 -= bytes }
  }
}
