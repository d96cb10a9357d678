package import Kernel
import Storage

extension People {
  /// Who acts when a command on the node says in whose name it is done. The machine's operator needs no password; what the
  /// person may not do is refused as on the site. Throws `.notFound` for an unknown login and one that is suspended.
  package func acting(_ login: String, _ authority: Authority) async throws -> Principal {
    let now = clock.now()
    return try await database.read { tx in
      guard let person = try PersonStore.find(login: login, in: tx), person.isActive else {
        throw Refusal.notFound(Text("在用账户 \(login)", "active account \(login)"))
      }
      return try SignIn.principal(of: person, actingFor: nil, authority: authority, on: now, in: tx)
    }
  }
}
