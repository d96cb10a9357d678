package import Kernel
package import NationalCrypto
package import Storage

/// Recomputes the whole log from what is kept, trusting nothing: digests, leaves, kept nodes, roots, signatures; and looks at
/// what stands beside: records without a leaf, payloads that are gone, the sequencer's own count.
package struct AuditVerifier: Sendable {
  package struct Result: Sendable, Hashable {
    package var records = 0
    package var leaves = 0
    /// Records whose payload is gone.
    package var erased = 0
    /// Records without a leaf, and since when the oldest of them waits.
    package var waiting = 0
    package var oldestWaiting: Instant?
    package var checkpoints = 0
    package var root: Digest32?
    /// What does not hold, in the order found; at most twenty.
    package var faults: [Text] = []
    package var holds: Bool { faults.isEmpty }

    mutating func found(_ chinese: String, _ english: String) {
      if faults.count < 20 { faults.append(Text(chinese, english)) }
    }
  }

  /// A record has its leaf within a second where a sequencer runs; one that waits so long has been forgotten or kept back.
  package static let patience: Duration = .seconds(60)

  let database: any Database
  let key: SM2.PublicKey

  package init(database: any Database, key: SM2.PublicKey) {
    self.database = database
    self.key = key
  }

  /// Reads everything once, in one snapshot, holding one path of the tree in memory.
  ///
  /// `witness` is the text of a signed checkpoint that was kept somewhere else: only that can show that a log was cut back
  /// together with its checkpoints. `now` is what the age of records without a leaf is measured against; without it none is
  /// too old.
  package func verify(
    witness: String? = nil, at now: Instant? = nil, progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws -> Result {
    let key = key
    let reading = witness.map { Checkpoint.Reading(kept: $0, key: key) }
    return try await database.read { tx in
      var result = Result()
      let outside = reading.flatMap { Self.checkpoint($0, &result) }
      var erased = Erased(explained: try AuditErasure.explained(in: tx))
      let checkpoints = try Self.checkpoints(in: tx)
      let nodes = try Self.nodes(in: tx)
      var tree = GrowingTree()
      var nextCheckpoint = 0
      try tx.forEach(
        """
        SELECT l.leaf_index, l.hash, r.id, r.at, r.actor, r.organisation, r.action, r.subject_kind, r.subject, r.grant_id,
          r.payload_digest, r.digest, p.salt, p.payload
        FROM audit_leaf l JOIN audit_record r ON r.id = l.record LEFT JOIN audit_payload p ON p.record = r.id
        ORDER BY l.leaf_index
        """
      ) { row in
        let index = try row.int("leaf_index")
        if index != result.leaves {
          result.found("第 \(result.leaves) 片叶缺失", "leaf \(result.leaves) is missing")
          return false
        }
        if try TreeStore.digest(row) != MerkleTree.leafHash(try row.blob("digest")) {
          let id = try row.text("id")
          result.found("第 \(index) 片叶不是记录 \(id) 的摘要", "leaf \(index) is not the digest of record \(id)")
        }
        try Self.check(row, at: index, &erased, &result)
        tree.add(try TreeStore.digest(row)) { level, position, hash in
          guard level % TreeStore.step == 0 else { return }
          if nodes[NodeName(level: level, position: position)] != hash {
            result.found("第 \(level) 层第 \(position) 个结点不符", "node \(position) of level \(level) does not agree")
          }
        }
        result.leaves += 1
        while nextCheckpoint < checkpoints.count, checkpoints[nextCheckpoint].size == result.leaves {
          Self.check(checkpoints[nextCheckpoint], root: tree.root, key: key, &result)
          nextCheckpoint += 1
        }
        if let outside, outside.size == result.leaves, outside.root != tree.root {
          result.found(
            "日志与另存的 \(outside.size) 条处的检查点不符",
            "the log does not agree with the checkpoint kept elsewhere, at \(outside.size)")
        }
        if result.leaves % 10_000 == 0 { progress(result.leaves) }
        return true
      }
      if nextCheckpoint < checkpoints.count {
        result.found(
          "检查点签了 \(checkpoints[nextCheckpoint].size) 条，日志只有 \(result.leaves) 条",
          "a checkpoint signs \(checkpoints[nextCheckpoint].size) records, the log has \(result.leaves)")
      }
      if let outside, outside.size > result.leaves {
        result.found(
          "另存的检查点签了 \(outside.size) 条，日志只有 \(result.leaves) 条：日志被截短",
          "the checkpoint kept elsewhere signs \(outside.size) records, the log has \(result.leaves): it was cut back")
      }
      if result.leaves > 0, checkpoints.last?.size != result.leaves {
        result.found("最后的叶没有签名的检查点", "the last leaves are under no signed checkpoint")
      }
      result.root = tree.root
      result.checkpoints = checkpoints.count
      let counted = try tx.int("SELECT size FROM audit_sequencer WHERE one = 1")
      if counted != result.leaves {
        let said = counted.map(String.init) ?? "—"
        result.found(
          "排序器记着 \(said) 片叶，日志有 \(result.leaves) 片",
          "the sequencer's count says \(said) leaves, the log has \(result.leaves)")
      }
      try Self.checkWaiting(at: now, &erased, &result, in: tx)
      result.erased = erased.count
      erased.tell(&result)
      result.records = try tx.int("SELECT COUNT(*) FROM audit_record") ?? 0
      if result.records != result.leaves + result.waiting {
        result.found(
          "有 \(result.records) 条记录，却有 \(result.leaves) 片叶和 \(result.waiting) 条待排",
          "\(result.records) records, but \(result.leaves) leaves and \(result.waiting) waiting")
      }
      return result
    }
  }

  private static func checkpoint(_ reading: Checkpoint.Reading, _ result: inout Result) -> Checkpoint? {
    switch reading {
    case .signed(let checkpoint): return checkpoint
    case .malformed:
      result.found(
        "另存的文件不是完整的检查点：应为三行正文、一个空行和签名行",
        "what was kept elsewhere is no whole checkpoint: it should be three lines, an empty one, and lines of signatures"
      )
    case .unsigned(let origin):
      result.found(
        "另存的检查点（来自 \(origin)）没有本节点密钥的有效签名",
        "the checkpoint kept elsewhere (of \(origin)) is not signed by this node's key")
    }
    return nil
  }

  /// Payloads that are gone, with and without a record that says why.
  private struct Erased {
    var explained: Set<String>
    var count = 0
    private var unexplained = 0
    private var first = ""

    init(explained: Set<String>) { self.explained = explained }

    mutating func add(_ id: AuditRecordID) {
      count += 1
      guard !explained.contains(id.text) else { return }
      if unexplained == 0 { first = id.text }
      unexplained += 1
    }

    func tell(_ result: inout Result) {
      guard unexplained > 0 else { return }
      result.found(
        "\(unexplained) 条记录的内容不见了，日志里却没有删除的记录，首条是 \(first)",
        "the content of \(unexplained) records is gone and no record tells of an erasure, the first is \(first)")
    }
  }

  /// Records that have no leaf yet: nothing signs them, so what can be checked is their digests, and that they do not wait
  /// for ever.
  private static func checkWaiting(
    at now: Instant?, _ erased: inout Erased, _ result: inout Result, in tx: any Transaction
  ) throws {
    var late = 0
    try tx.forEach(
      """
      SELECT w.record, l.leaf_index, r.id, r.at, r.actor, r.organisation, r.action, r.subject_kind, r.subject, r.grant_id,
        r.payload_digest, r.digest, p.salt, p.payload
      FROM audit_waiting w LEFT JOIN audit_record r ON r.id = w.record LEFT JOIN audit_leaf l ON l.record = w.record
        LEFT JOIN audit_payload p ON p.record = r.id
      ORDER BY w.record
      """
    ) { row in
      result.waiting += 1
      let waits = try row.text("record")
      if let leaf = try row.intOrNil("leaf_index") {
        result.found("记录 \(waits) 已是第 \(leaf) 片叶，却还在待排", "record \(waits) is leaf \(leaf) and waits all the same")
      }
      guard try row.textOrNil("id") != nil else {
        result.found("待排的记录 \(waits) 不存在", "record \(waits) waits for its leaf and does not exist")
        return true
      }
      try check(row, at: nil, &erased, &result)
      let at = try row.instant("at")
      result.oldestWaiting = min(result.oldestWaiting ?? at, at)
      if let now, now - at > patience { late += 1 }
      return true
    }
    if late > 0, let oldest = result.oldestWaiting {
      let seconds = patience.components.seconds
      result.found(
        "\(late) 条记录等了 \(seconds) 秒以上仍未入树，最早的自 \(oldest)；没有节点在运行时可加 --sequence",
        "\(late) records have waited for their leaf for over \(seconds) seconds, the oldest since \(oldest); where no node runs, add --sequence"
      )
    }
  }

  /// `index` is nil for a record without a leaf.
  private static func check(_ row: Row, at index: Int?, _ erased: inout Erased, _ result: inout Result) throws {
    let id: AuditRecordID = try row.id("id")
    let digest = try row.blob("digest")
    let place = index.map { Text("第 \($0) 条", "number \($0)") } ?? Text("待排", "waiting")
    let kept = try row.blob("payload_digest")
    var inner = kept
    if let payload = try row.textOrNil("payload"), let salt = try row.blobOrNil("salt") {
      inner = payloadDigest(payload, salt: salt).bytes
      if inner != kept {
        result.found(
          "记录 \(id)（\(place.chinese)）所存的内容摘要与内容不符",
          "the kept digest of the content of record \(id) (\(place.english)) is not that of its content")
      }
    } else {
      erased.add(id)
    }
    let computed = recordDigest(
      id: id, at: try row.instant("at"), actor: try row.idOrNil("actor"), organisation: try row.idOrNil("organisation"),
      action: try row.text("action"), subjectKind: try row.text("subject_kind"), subject: try row.text("subject"),
      grant: try row.textOrNil("grant_id"), payloadDigest: inner)
    if computed != digest {
      result.found("记录 \(id)（\(place.chinese)）被改动", "record \(id) (\(place.english)) was changed")
    }
  }

  private static func check(_ kept: KeptCheckpoint, root: Digest32, key: SM2.PublicKey, _ result: inout Result) {
    guard let signed = Checkpoint(note: kept.note, signedBy: key) else {
      return result.found("\(kept.size) 条处的检查点签名无效", "the checkpoint at \(kept.size) is not signed by this node's key")
    }
    if signed.size != kept.size || signed.root != root || kept.root != root {
      result.found("\(kept.size) 条处的检查点与日志不符", "the checkpoint at \(kept.size) does not agree with the log")
    }
  }

  private static func checkpoints(in tx: any Transaction) throws -> [KeptCheckpoint] {
    try tx.rows("SELECT size, root AS hash, note, at FROM audit_checkpoint ORDER BY size").map { row in
      KeptCheckpoint(
        size: try row.int("size"), root: try TreeStore.digest(row), note: try row.text("note"),
        at: try row.instant("at"))
    }
  }

  private struct NodeName: Hashable {
    var level: Int
    var position: Int
  }

  private static func nodes(in tx: any Transaction) throws -> [NodeName: Digest32] {
    var nodes: [NodeName: Digest32] = [:]
    try tx.forEach("SELECT level, position, hash FROM audit_node") { row in
      nodes[NodeName(level: try row.int("level"), position: try row.int("position"))] = try TreeStore.digest(row)
      return true
    }
    return nodes
  }
}

/// The right edge of a tree that grows leaf by leaf: one hash a level.
struct GrowingTree {
  private(set) var size = 0
  /// Complete subtrees from the largest to the smallest.
  private var edge: [(level: Int, hash: Digest32)] = []

  /// Adds a leaf and reports every subtree that it completes.
  mutating func add(_ leaf: Digest32, completed: (_ level: Int, _ position: Int, _ hash: Digest32) -> Void) {
    size += 1
    var (level, hash) = (0, leaf)
    while let last = edge.last, last.level == level {
      edge.removeLast()
      hash = MerkleTree.nodeHash(last.hash, hash)
      level += 1
      completed(level, (size >> level) - 1, hash)
    }
    edge.append((level, hash))
  }

  var root: Digest32 {
    guard var hash = edge.last?.hash else { return MerkleTree.emptyRoot }
    for part in edge.dropLast().reversed() { hash = MerkleTree.nodeHash(part.hash, hash) }
    return hash
  }
}
