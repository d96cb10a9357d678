package import NationalCrypto

/// The tree of RFC 6962 section 2.1, over SM3. Pure: where hashes come from is the caller's business.
package enum MerkleTree {
  package static func leafHash(_ data: [UInt8]) -> Digest32 { SM3.hash([0] + data) }
  package static func nodeHash(_ left: Digest32, _ right: Digest32) -> Digest32 {
    SM3.hash([1] + left.bytes + right.bytes)
  }
  package static let emptyRoot = SM3.hash([UInt8]())

  /// The hash of the complete subtree of 2^level leaves at a position counted in subtrees of that size.
  package typealias Node = (_ level: Int, _ position: Int) throws -> Digest32

  /// The root over the first `size` leaves.
  package static func root(size: Int, node: Node) throws -> Digest32 {
    size == 0 ? emptyRoot : try hash(from: 0, to: size, node: node)
  }

  /// The siblings that lead from leaf `index` to the root over `size` leaves, lowest first.
  package static func inclusionProof(of index: Int, size: Int, node: Node) throws -> [Digest32] {
    precondition(index >= 0 && index < size)
    return try path(index, from: 0, to: size, node: node)
  }

  /// What shows that the tree of `old` leaves is the beginning of the tree of `size`.
  package static func consistencyProof(from old: Int, to size: Int, node: Node) throws -> [Digest32] {
    precondition(old >= 0 && old <= size)
    return old == 0 || old == size ? [] : try subproof(old, from: 0, to: size, complete: true, node: node)
  }

  /// RFC 9162 section 2.1.3.2.
  package static func verifyInclusion(
    of leaf: Digest32, at index: Int, size: Int, proof: [Digest32], root: Digest32
  ) -> Bool {
    guard index >= 0, index < size, proof.count <= 64 else { return false }
    var (fn, sn) = (index, size - 1)
    var hash = leaf
    for sibling in proof {
      if sn == 0 { return false }
      if fn & 1 == 1 || fn == sn {
        hash = nodeHash(sibling, hash)
        while fn & 1 == 0, fn != 0 { (fn, sn) = (fn >> 1, sn >> 1) }
      } else {
        hash = nodeHash(hash, sibling)
      }
      (fn, sn) = (fn >> 1, sn >> 1)
    }
    return sn == 0 && hash == root
  }

  /// RFC 9162 section 2.1.4.2.
  package static func verifyConsistency(
    from old: Int, _ oldRoot: Digest32, to size: Int, _ root: Digest32, proof: [Digest32]
  ) -> Bool {
    guard old >= 0, old <= size, proof.count <= 130 else { return false }
    if old == size { return proof.isEmpty && oldRoot == root }
    if old == 0 { return proof.isEmpty && oldRoot == emptyRoot }
    var path = proof
    if old & (old - 1) == 0 { path.insert(oldRoot, at: 0) }
    guard let first = path.first else { return false }
    var (fn, sn) = (old - 1, size - 1)
    while fn & 1 == 1 { (fn, sn) = (fn >> 1, sn >> 1) }
    var (fr, sr) = (first, first)
    for sibling in path.dropFirst() {
      if sn == 0 { return false }
      if fn & 1 == 1 || fn == sn {
        fr = nodeHash(sibling, fr)
        sr = nodeHash(sibling, sr)
        while fn & 1 == 0, fn != 0 { (fn, sn) = (fn >> 1, sn >> 1) }
      } else {
        sr = nodeHash(sr, sibling)
      }
      (fn, sn) = (fn >> 1, sn >> 1)
    }
    return fr == oldRoot && sr == root && sn == 0
  }

  // MARK: - Ranges. A range [from, to) with `from` a multiple of the largest power of two below its length.

  private static func hash(from: Int, to: Int, node: Node) throws -> Digest32 {
    let count = to - from
    if count & (count - 1) == 0 {
      let level = count.trailingZeroBitCount
      return try node(level, from >> level)
    }
    let split = from + largestPower(below: count)
    return nodeHash(try hash(from: from, to: split, node: node), try hash(from: split, to: to, node: node))
  }

  private static func path(_ index: Int, from: Int, to: Int, node: Node) throws -> [Digest32] {
    guard to - from > 1 else { return [] }
    let split = from + largestPower(below: to - from)
    return index < split
      ? try path(index, from: from, to: split, node: node) + [hash(from: split, to: to, node: node)]
      : try path(index, from: split, to: to, node: node) + [hash(from: from, to: split, node: node)]
  }

  private static func subproof(_ old: Int, from: Int, to: Int, complete: Bool, node: Node) throws -> [Digest32] {
    if old == to { return complete ? [] : [try hash(from: from, to: to, node: node)] }
    let split = from + largestPower(below: to - from)
    return old <= split
      ? try subproof(old, from: from, to: split, complete: complete, node: node) + [
        hash(from: split, to: to, node: node)
      ]
      : try subproof(old, from: split, to: to, complete: false, node: node) + [hash(from: from, to: split, node: node)]
  }

  /// The largest power of two smaller than n; n is at least 2.
  private static func largestPower(below n: Int) -> Int { 1 << (Int.bitWidth - 1 - (n - 1).leadingZeroBitCount) }
}
