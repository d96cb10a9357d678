import Kernel

/// The keys that a run wrote into a target that cannot tell whether it has one, as 128 bits each of a hash that nobody
/// outside this process can aim at.
package struct WrittenKeys {
  private struct Key: Hashable {
    var a: Int
    var b: Int
  }

  /// Beyond it the memory would be too much: 2 GiB.
  package static let most = 50_000_000

  private var keys: Set<Key> = []
  private var added: [Key] = []
  private let origin: String

  /// `origin` is the first part of its errors' code.
  package init(_ origin: String) { self.origin = origin }

  /// False for a key that was there.
  package mutating func insert(_ bytes: [UInt8]) throws(ConnectorError) -> Bool {
    let key = Self.key(bytes)
    guard keys.insert(key).inserted else { return false }
    guard keys.count <= Self.most else {
      throw ConnectorError(
        .permanent, "\(origin).too-many-keys",
        Text(
          "一次运行的行数超过 \(Self.most) 行，而数据源不按主键顺序给出，无法查重。",
          "More than \(Self.most) rows in one run from a source that does not give them in its key's order: whether one comes twice cannot be told."
        ))
    }
    added.append(key)
    return true
  }

  package func contains(_ bytes: [UInt8]) -> Bool { keys.contains(Self.key(bytes)) }

  /// What was added stays.
  package mutating func keep() { added.removeAll(keepingCapacity: true) }

  /// What was added since `keep` was not written.
  package mutating func takeBack() {
    for key in added { keys.remove(key) }
    added = []
  }

  private static func key(_ bytes: [UInt8]) -> Key {
    var (a, b) = (Hasher(), Hasher())
    bytes.withUnsafeBytes {
      a.combine(bytes: $0)
      b.combine(1 as UInt8)
      b.combine(bytes: $0)
    }
    return Key(a: a.finalize(), b: b.finalize())
  }
}
