import NationalCrypto
import Storage

/// The tree as it is kept: every leaf's hash, and the hash of every complete subtree of 256, 65,536 … leaves. What lies
/// between is computed from at most 255 reads.
enum TreeStore {
  static let step = 8

  /// A source of nodes for `MerkleTree`.
  static func node(in tx: any Transaction) -> MerkleTree.Node {
    { level, position in try hash(level: level, position: position, in: tx) }
  }

  static func hash(level: Int, position: Int, in tx: any Transaction) throws -> Digest32 {
    if level == 0 {
      guard let row = try tx.row("SELECT hash FROM audit_leaf WHERE leaf_index = \(position)") else {
        throw missing(0, position)
      }
      return try digest(row)
    }
    if level % step == 0 {
      guard let row = try tx.row("SELECT hash FROM audit_node WHERE level = \(level) AND position = \(position)") else {
        throw missing(level, position)
      }
      return try digest(row)
    }
    let below = level / step * step
    let count = 1 << (level - below)
    let first = position * count
    let rows =
      below == 0
      ? try tx.rows(
        "SELECT hash FROM audit_leaf WHERE leaf_index >= \(first) AND leaf_index < \(first + count) ORDER BY leaf_index"
      )
      : try tx.rows(
        "SELECT hash FROM audit_node WHERE level = \(below) AND position >= \(first) AND position < \(first + count) ORDER BY position"
      )
    guard rows.count == count else { throw missing(level, position) }
    return fold(try rows.map(digest))
  }

  /// The root of a complete subtree from the hashes of its 2^n parts.
  static func fold(_ hashes: [Digest32]) -> Digest32 {
    var row = hashes
    while row.count > 1 {
      row = stride(from: 0, to: row.count, by: 2).map { MerkleTree.nodeHash(row[$0], row[$0 + 1]) }
    }
    return row[0]
  }

  static func digest(_ row: Row) throws -> Digest32 {
    guard let digest = Digest32(try row.blob("hash")) else {
      throw StorageError(.decoding, "a hash of the log is not 32 bytes")
    }
    return digest
  }

  private static func missing(_ level: Int, _ position: Int) -> StorageError {
    StorageError(.decoding, "the log's tree lacks node \(position) of level \(level)")
  }
}
