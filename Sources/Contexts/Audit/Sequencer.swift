package import Kernel
package import Logging
import NationalCrypto
import ServiceLifecycle
package import Storage

/// Gives every committed record its place in the tree and signs what the tree then is.
///
/// Business transactions only insert; they never read or write the tree, so they never wait for each other there. The
/// sequencer alone extends it, in READ COMMITTED isolation, which PostgreSQL does not hold against a serializable
/// transaction. Two sequencers cannot both win: each takes the row of `audit_sequencer` first.
package struct Sequencer: Service {
  let database: any Database
  let signer: CheckpointSigner
  let clock: Clock
  let logger: Logger

  package init(database: any Database, signer: CheckpointSigner, clock: Clock, logger: Logger) {
    self.database = database
    self.signer = signer
    self.clock = clock
    self.logger = logger
  }

  /// At most so many records in one transaction.
  static let most = 4096

  package func run() async throws {
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      do {
        while try await sequenceOnce() == Self.most {}
      } catch {
        logger.error("audit sequencer: \(error)")
      }
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .milliseconds(400)) }
    }
    _ = try? await sequenceOnce()
  }

  /// Sequences everything that waits; for tests and for commands, which call it before they end: nobody else may come by.
  package func sequenceAll() async throws {
    while try await sequenceOnce() > 0 {}
  }

  /// One step: up to `most` records get leaves, and the new tree is signed. Answers how many.
  package func sequenceOnce() async throws -> Int {
    let waits = try await database.read { try $0.row("SELECT record FROM audit_waiting LIMIT 1") != nil }
    guard waits else { return 0 }
    let (signer, now, logger) = (signer, clock.now(), logger)
    return try await database.write(.readCommitted) { tx in
      // Takes the sequencer's row: another sequencer waits here and then sees what this one did.
      try tx.run("UPDATE audit_sequencer SET size = size WHERE one = 1")
      let start = try Self.start(in: tx, logger)
      let waiting = try tx.rows(
        """
        SELECT w.record, r.digest FROM audit_waiting w JOIN audit_record r ON r.id = w.record
        ORDER BY w.record LIMIT \(Self.most)
        """)
      guard !waiting.isEmpty else { return 0 }
      let size = try Self.extend(from: start, with: waiting, in: tx)
      try Self.checkpoint(from: start, to: size, signer: signer, at: now, in: tx)
      return waiting.count
    }
  }

  /// How many leaves there are. The leaves say so themselves: the sequencer's own row only repeats it, and one that was
  /// changed must neither give a leaf twice nor stop the log for ever.
  private static func start(in tx: any Transaction, _ logger: Logger) throws -> Int {
    let said = try tx.int("SELECT size FROM audit_sequencer WHERE one = 1")
    let leaves = try tx.int("SELECT MAX(leaf_index) + 1 FROM audit_leaf") ?? 0
    if said == nil { try tx.run("INSERT INTO audit_sequencer (one, size) VALUES (1, \(leaves))") }
    if said != leaves {
      logger.error("audit sequencer: its row said \(said ?? 0) leaves, there are \(leaves); put right")
    }
    return leaves
  }

  private static func extend(from start: Int, with waiting: [Row], in tx: any Transaction) throws -> Int {
    let leaves: [SQL] = try waiting.enumerated().map { number, row in
      let hash = MerkleTree.leafHash(try row.blob("digest"))
      return "(\(start + number), \(try row.text("record")), \(hash.bytes))"
    }
    try tx.insert("INSERT INTO audit_leaf (leaf_index, record, hash)", leaves, columns: 3)
    try tx.run(
      "DELETE FROM audit_waiting WHERE record IN (SELECT record FROM audit_leaf WHERE leaf_index >= \(start))")
    let size = start + waiting.count
    for size in (start + 1)...size {
      var level = TreeStore.step
      while size % (1 << level) == 0 {
        let position = (size >> level) - 1
        let parts = try below(level, position, tx)
        try tx.run(
          "INSERT INTO audit_node (level, position, hash) VALUES (\(level), \(position), \(TreeStore.fold(parts).bytes))"
        )
        level += TreeStore.step
      }
    }
    try tx.run("UPDATE audit_sequencer SET size = \(size) WHERE one = 1")
    return size
  }

  /// The 256 hashes under a kept node.
  private static func below(_ level: Int, _ position: Int, _ tx: any Transaction) throws -> [Digest32] {
    let first = position << TreeStore.step
    let last = first + (1 << TreeStore.step)
    let rows =
      level == TreeStore.step
      ? try tx.rows(
        "SELECT hash FROM audit_leaf WHERE leaf_index >= \(first) AND leaf_index < \(last) ORDER BY leaf_index")
      : try tx.rows(
        "SELECT hash FROM audit_node WHERE level = \(level - TreeStore.step) AND position >= \(first) AND position < \(last) ORDER BY position"
      )
    return try rows.map(TreeStore.digest)
  }

  /// Signs the new tree, after making sure that the last signed one is its beginning.
  private static func checkpoint(
    from old: Int, to size: Int, signer: CheckpointSigner, at now: Instant, in tx: any Transaction
  ) throws {
    let node = TreeStore.node(in: tx)
    if let last = try tx.row("SELECT size, root FROM audit_checkpoint ORDER BY size DESC LIMIT 1") {
      let signed = try last.int("size")
      guard signed == old else {
        throw StorageError(
          .check, "the last signed checkpoint is of size \(signed), the tree had \(old) leaves; nothing was signed")
      }
      let root = try MerkleTree.root(size: old, node: node)
      guard try last.blob("root") == root.bytes else {
        throw StorageError(
          .check, "the tree no longer agrees with the signed checkpoint of size \(old); nothing was signed")
      }
    }
    let checkpoint = Checkpoint(origin: signer.origin, size: size, root: try MerkleTree.root(size: size, node: node))
    try tx.run(
      """
      INSERT INTO audit_checkpoint (size, root, note, at)
      VALUES (\(size), \(checkpoint.root.bytes), \(signer.sign(checkpoint)), \(now))
      """)
  }
}
