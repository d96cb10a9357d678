import Foundation
package import NationalCrypto

/// A signed statement of the whole log: so many records, this root. The text is C2SP's tlog-checkpoint; the signature is
/// SM2, under the algorithm byte 0xE2 (ours: C2SP has none for SM2).
package struct Checkpoint: Sendable, Hashable {
  package var origin: String
  package var size: Int
  package var root: Digest32

  package init(origin: String, size: Int, root: Digest32) {
    self.origin = origin
    self.size = size
    self.root = root
  }

  package var body: String { "\(origin)\n\(size)\n\(Data(root.bytes).base64EncodedString())\n" }

  /// Reads a note and answers what it says if this key signed it; other signers' lines are passed over.
  package init?(note: String, signedBy key: SM2.PublicKey) {
    guard case .signed(let checkpoint) = Reading(note, key: key) else { return nil }
    self = checkpoint
  }

  /// What a note turns out to be: a spoilt copy must not look like a forgery.
  enum Reading {
    case signed(Checkpoint)
    /// No checkpoint's text at all, or one that was cut or changed in form.
    case malformed
    /// A checkpoint that this key has not signed, or not so.
    case unsigned(origin: String)

    init(_ note: String, key: SM2.PublicKey) {
      let parts = note.components(separatedBy: "\n\n")
      let lines = parts[0].components(separatedBy: "\n")
      guard parts.count == 2, lines.count == 3, let size = Int(lines[1]), size >= 0, String(size) == lines[1],
        let bytes = Data(base64Encoded: lines[2]), let root = Digest32(Array(bytes)), parts[1].hasPrefix("— ")
      else {
        self = .malformed
        return
      }
      let checkpoint = Checkpoint(origin: lines[0], size: size, root: root)
      let message = Array(checkpoint.body.utf8)
      let keyID = CheckpointSigner.keyID(origin: checkpoint.origin, key: key)
      let isSigned = parts[1].split(separator: "\n").contains { line in
        let words = line.split(separator: " ")
        guard words.count == 3, words[0] == "—", words[1] == checkpoint.origin,
          let blob = Data(base64Encoded: String(words[2])), Array(blob.prefix(4)) == keyID
        else { return false }
        return key.verifies(Array(blob.dropFirst(4)), of: message)
      }
      self = isSigned ? .signed(checkpoint) : .unsigned(origin: checkpoint.origin)
    }

    /// A note that was kept as a file: mail and editors change how lines end, and add lines and a byte-order mark.
    init(kept text: String, key: SM2.PublicKey) {
      let lines = text.replacingOccurrences(of: "\r\n", with: "\n").trimmingCharacters(
        in: .whitespacesAndNewlines.union(["\u{FEFF}"]))
      self.init(lines + "\n", key: key)
    }
  }
}

/// Holds the node's key for the log and puts its name under checkpoints.
package struct CheckpointSigner: Sendable {
  package let origin: String
  private let key: SM2.PrivateKey

  package init(origin: String, key: SM2.PrivateKey) {
    self.origin = origin
    self.key = key
  }

  package var publicKey: SM2.PublicKey { key.publicKey }

  package func sign(_ checkpoint: Checkpoint) -> String {
    let signature = Self.keyID(origin: origin, key: publicKey) + key.sign(Array(checkpoint.body.utf8))
    return "\(checkpoint.body)\n— \(origin) \(Data(signature).base64EncodedString())\n"
  }

  static func keyID(origin: String, key: SM2.PublicKey) -> [UInt8] {
    Array(SM3.hash(Array(origin.utf8) + [10, 0xE2] + key.bytes).bytes.prefix(4))
  }
}
