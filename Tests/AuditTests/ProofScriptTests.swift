import Foundation
import Kernel
import Logging
import NationalCrypto
import Storage
import TestKit
import Testing
import Web

@testable import Audit

/// `scripts/verify_proof.py`, which shares no code with the platform: what it believes, anybody may.
@Suite struct ProofScriptTests {
  static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("scripts/verify_proof.py").path

  /// Runs the script on a proof's text; its exit code and all that it said.
  private func check(_ proof: String, _ arguments: [String] = [], in folder: String) throws -> (code: Int, said: String)
  {
    let file = folder + "/proof.json"
    try Data(proof.utf8).write(to: URL(fileURLWithPath: file))
    let said = try Tool.run(
      "/bin/sh", ["-c", "python3 \"$0\" \"$@\" 2>&1; echo \"code $?\"", Self.script, file] + arguments)
    return (said.split(separator: " ").last.flatMap { Int($0.dropLast()) } ?? -1, said)
  }

  /// Proofs of two records out of `count`, as downloaded.
  private func withProofs(
    of count: Int, _ body: (_ first: AuditProof, _ last: AuditProof, _ folder: String) throws -> Void
  ) async throws {
    try await withDatabase(.sqlite, [AuditSchema.migrations]) { db in
      let ids = try await db.write { tx in
        try (0..<count).map { index in
          try AuditLog.record(
            AuditEntry(
              at: Instant("2026-03-02T01:00:00.000Z")!, actor: .system(), action: "test.append", subjectKind: "thing",
              subject: "第 \(index) 件\t带\n换行\\", subjectName: "x"), in: tx)
        }
        // Leaves follow the ids, which within a millisecond need not follow each other.
        .sorted { $0.text < $1.text }
      }
      let signer = CheckpointSigner(origin: "sanjiang/test", key: LogTests.key)
      try await Sequencer(database: db, signer: signer, clock: .system, logger: Logger(label: "test")).sequenceAll()
      let proofs = try await db.read { tx in try [ids[0], ids[count - 1]].map { try AuditProof.of($0, in: tx) } }
      try await withTemporaryFolder { folder in
        try body(try #require(proofs[0]), try #require(proofs[1]), folder)
      }
    }
  }

  @Test(arguments: [1, 2, 7, 300])
  func `a right proof holds, and with the node's key its signature too`(count: Int) async throws {
    try await withProofs(of: count) { first, last, folder in
      for proof in [first, last] {
        let text = AuditRoutes.json(proof).text
        let open = try check(text, in: folder)
        #expect(
          open.code == 0 && open.said.contains("holds") && open.said.contains("signature NOT checked"), "\(open.said)")
        let signed = try check(text, ["--key", LogTests.key.publicKey.bytes.hex], in: folder)
        #expect(signed.code == 0 && signed.said.contains("signature: this key's"), "\(signed.said)")
        let other = try check(text, ["--key", SM2.PrivateKey().publicKey.bytes.hex], in: folder)
        #expect(other.code == 1 && other.said.contains("not signed by this key"), "\(other.said)")
      }
      let noKey = try check(AuditRoutes.json(first).text, ["--key", "04abc"], in: folder)
      #expect(noKey.code == 2)
    }
  }

  @Test func `a proof of something else does not hold`() async throws {
    try await withProofs(of: 7) { first, last, folder in
      let right = AuditRoutes.json(first).text
      let size = "\"treeSize\":7"
      #expect(right.contains(size) && right.contains("\"leafIndex\":0"))
      var forged: [(String, Int, String)] = [
        (right.replacing(first.record.text, with: last.record.text), 1, "not that of this record"),
        (right.replacing("test.append", with: "test.remove"), 1, "not that of this record"),
        (right.replacing("\"grant\":null", with: "\"grant\":\"g\""), 1, "not that of this record"),
        (right.replacing(first.digest.hex, with: last.digest.hex), 1, "not that of this record"),
        (right.replacing(first.root.hex, with: last.digest.hex), 1, "is not the checkpoint's"),
        (right.replacing(first.path[0].hex, with: first.path[1].hex), 1, "does not lead"),
        (right.replacing(size, with: "\"treeSize\":6"), 1, "the checkpoint is of 7 leaves"), ("[]", 2, "not a proof"),
        ("{}", 2, "“record” is missing"), ("{", 2, "not a proof"),
        (right.replacing("sanjiang/test\\n7\\n", with: "sanjiang/test\\n07\\n"), 2, "not a signed checkpoint"),
      ]
      for (index, code, words) in [
        ("7", 1, "there is no leaf 7 in a tree of 7"), ("-1", 1, "there is no leaf -1"), ("0.0", 2, "a whole number"),
        ("false", 2, "a whole number"), ("\"0\"", 2, "a whole number"), ("null", 2, "a whole number"),
      ] {
        forged.append((right.replacing("\"leafIndex\":0", with: "\"leafIndex\":\(index)"), code, words))
      }
      for (proof, code, words) in forged {
        #expect(proof != right)
        let answer = try check(proof, in: folder)
        #expect(answer.code == code && answer.said.contains(words), "\(words): \(answer.said)")
        #expect(!answer.said.contains(": holds"))
      }
    }
  }

  @Test func `a leaf beyond a tree of one is no leaf`() async throws {
    try await withProofs(of: 1) { first, _, folder in
      let forged = AuditRoutes.json(first).text.replacing("\"leafIndex\":0", with: "\"leafIndex\":7")
      let answer = try check(forged, in: folder)
      #expect(answer.code == 1 && answer.said.contains("DOES NOT HOLD"), "\(answer.said)")
    }
  }
}
