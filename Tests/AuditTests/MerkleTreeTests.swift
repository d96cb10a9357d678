import NationalCrypto
import Testing

@testable import Audit

/// RFC 6962 over SM3: the standard's own leaves, a naive definition to compare with, and proofs that must not hold.
@Suite struct MerkleTreeTests {
  /// The leaves of RFC 6962's reference tests; the roots were computed by another implementation.
  static let leaves: [[UInt8]] = [
    [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43], Array(0x50...0x57), Array(0x60...0x6F),
  ]
  static let roots = [
    "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
    "2daef60e7a0b8f5e024c81cd2ab3109f2b4f155cf83adeb2ae5532f74a157fdf",
    "0b990fe0c7ad70f1bf1a1262f2c7908ea48146b14253a6db99f2917ab1f5cc4d",
    "209ec96a210d662a964772680e8544d18cab7b88ffec3e00962220349b56ea56",
    "28e4e307ef6d2d0c62d84b11ef96e835efe490f35b93c8f024ecfe38c8dd4377",
    "bb10c996aeebbcdc69be3715fc847344de77442d37a5ab8213da9f41785b103b",
    "8723c1ab1f82ddfba4a3733ac0c80d936d9f4c208c7dbc8cc81ca9fff8584f66",
    "bd36c22a1ac6ff4308e0c3cc1a85bf0ffa30538ec60a55c70413ab15d45db4d2",
    "bc48ba7a709184b5f2a631e1adeb8dc2a0d4c018c1d6cc89b5664fe154c93b38",
  ]

  static func leaf(_ index: Int) -> Digest32 { MerkleTree.leafHash(Array("\(index)".utf8)) }

  /// Section 2.1 read aloud.
  static func naive(_ leaves: ArraySlice<Digest32>) -> Digest32 {
    guard leaves.count > 1 else { return leaves.first ?? MerkleTree.emptyRoot }
    var split = 1
    while split * 2 < leaves.count { split *= 2 }
    return MerkleTree.nodeHash(naive(leaves.prefix(split)), naive(leaves.dropFirst(split)))
  }

  static func node(_ leaves: [Digest32]) -> MerkleTree.Node {
    { level, position in naive(leaves[(position << level)..<((position + 1) << level)]) }
  }

  @Test(arguments: 0...8)
  func `the standard's leaves give the known roots`(size: Int) throws {
    let hashes = Self.leaves.prefix(size).map(MerkleTree.leafHash)
    #expect(try MerkleTree.root(size: size, node: Self.node(hashes)).hex == Self.roots[size])
    var growing = GrowingTree()
    for hash in hashes { growing.add(hash) { _, _, _ in } }
    #expect(growing.root.hex == Self.roots[size])
  }

  @Test func `every proof of inclusion holds, and none that is changed`() throws {
    for size in 1...70 {
      let hashes = (0..<size).map(Self.leaf)
      let root = Self.naive(hashes[...])
      for index in 0..<size {
        let proof = try MerkleTree.inclusionProof(of: index, size: size, node: Self.node(hashes))
        func holds(_ leaf: Digest32, _ index: Int, _ size: Int, _ proof: [Digest32]) -> Bool {
          MerkleTree.verifyInclusion(of: leaf, at: index, size: size, proof: proof, root: root)
        }
        #expect(holds(hashes[index], index, size, proof))
        #expect(!holds(Self.leaf(-1), index, size, proof))
        #expect(!holds(hashes[index], index + 1, size, proof))
        #expect(!holds(hashes[index], index - 1, size, proof))
        #expect(!holds(hashes[index], index, size, proof + [root]))
        if !proof.isEmpty {
          #expect(!holds(hashes[index], index, size, Array(proof.dropLast())))
          #expect(!holds(hashes[index], index, size, Array(proof.dropFirst())))
          var forged = proof
          forged[0] = Self.leaf(-2)
          #expect(!holds(hashes[index], index, size, forged))
        }
        if proof.count > 1, proof.first != proof.last {
          #expect(!holds(hashes[index], index, size, proof.reversed()))
        }
      }
    }
  }

  @Test func `every proof of consistency holds, and none that is changed`() throws {
    for size in 1...40 {
      let hashes = (0..<size).map(Self.leaf)
      let root = Self.naive(hashes[...])
      for old in 0...size {
        let oldRoot = Self.naive(hashes.prefix(old))
        let proof = try MerkleTree.consistencyProof(from: old, to: size, node: Self.node(hashes))
        #expect(MerkleTree.verifyConsistency(from: old, oldRoot, to: size, root, proof: proof))
        #expect(!MerkleTree.verifyConsistency(from: old, Self.leaf(-1), to: size, root, proof: proof))
        // Every tree begins with the empty one, so from nothing there is nothing to contradict.
        if old > 0 { #expect(!MerkleTree.verifyConsistency(from: old, oldRoot, to: size, Self.leaf(-1), proof: proof)) }
        #expect(!MerkleTree.verifyConsistency(from: old, oldRoot, to: size, root, proof: proof + [root]))
        if !proof.isEmpty {
          #expect(!MerkleTree.verifyConsistency(from: old, oldRoot, to: size, root, proof: Array(proof.dropLast())))
        }
      }
    }
  }
}
