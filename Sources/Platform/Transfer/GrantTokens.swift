import Connecting
import NationalCrypto
package import Reshaping

/// Tokens of a grant's items: made by the engine, undone by the provider alone, since its own key goes into them and the
/// secret that both sides hold does not.
package enum GrantTokens {
  /// Nil unless the provider's key has at least 16 bytes.
  package static func tokens(_ kind: ValueMask.Token, item: String, grant: String, providerKey: [UInt8]) -> Tokens? {
    guard providerKey.count >= 16 else { return nil }
    return Tokens(kind, key: key(grant, providerKey), tweak: tweak(item, grant))
  }

  static func key(_ grant: String, _ providerKey: [UInt8]) -> [UInt8] {
    deriveKey(from: providerKey, salt: Array(grant.utf8), use: "sanjiang transfer tokens", length: 16)
  }

  static func tweak(_ item: String, _ grant: String) -> [UInt8] {
    SM3.hash("sanjiang token tweak 1\n\(grant.utf8.count):\(grant)").bytes + Array(item.utf8)
  }
}

extension CompiledPlan {
  /// The item's mask beyond those that the loop knows itself; one per thread.
  func masker(_ item: ItemContract) -> Masker? {
    guard case .reshaped(let mask) = item.mask else { return nil }
    return Masker(
      mask, type: item.type, key: GrantTokens.key(plan.grant, plan.providerKey),
      tweak: GrantTokens.tweak(item.name, plan.grant))
  }
}

extension ItemContract {
  /// Rows can still be told apart by it.
  var keepsKey: Bool {
    switch mask {
    case .none, .pseudonym: true
    case .keepHeadTail, .drop: false
    case .reshaped(let mask): mask.facts(for: type)?.keepsJoins ?? false
    }
  }
}
