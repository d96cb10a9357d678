import Audit
import Foundation
import Kernel
import NationalCrypto

/// The node's secrets, in `data/keys`: readable by the service's user only.
struct NodeKeys: Sendable {
  /// Seals credentials, grants' secrets, second factors and quarantined rows.
  var sealing: [UInt8]
  var signer: CheckpointSigner

  /// Makes what is missing: an `init` that was interrupted goes on.
  static func make(in folder: String) throws {
    let keys = folder + "/keys"
    try FileManager.default.createDirectory(
      atPath: keys, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    func make(_ name: String, _ bytes: () -> [UInt8]) throws {
      if read(keys + "/" + name) == nil { try write(bytes(), to: keys + "/" + name) }
    }
    try make("node.key") { SecureRandom.bytes(32) }
    try make("audit.key") { SM2.PrivateKey().bytes }
    try make("origin") { Array(("sanjiang/" + SecureRandom.bytes(4).hex).utf8) }
  }

  static func load(from folder: String) throws -> NodeKeys {
    guard let sealing = read(folder + "/keys/node.key"), sealing.count == 32,
      let audit = read(folder + "/keys/audit.key").flatMap({ SM2.PrivateKey($0) }),
      let origin = read(folder + "/keys/origin")
    else {
      throw Refusal(
        .conflict, "node.keys",
        Text(
          "\(folder)/keys 里没有完整的密钥。新节点请先运行 sanjiang init。",
          "\(folder)/keys lacks a key. For a new node run sanjiang init first."))
    }
    return NodeKeys(
      sealing: sealing, signer: CheckpointSigner(origin: String(decoding: origin, as: UTF8.self), key: audit))
  }

  static func exist(in folder: String) -> Bool { FileManager.default.fileExists(atPath: folder + "/keys/node.key") }

  private static func read(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map(Array.init) }

  /// Written whole or not at all, for the owner's eyes only, and never over a key that is there.
  private static func write(_ bytes: [UInt8], to path: String) throws {
    let partial = path + ".partial"
    let descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw unwritable(path) }
    let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
    let flushed = fsync(descriptor)
    close(descriptor)
    guard written == bytes.count, flushed == 0, link(partial, path) == 0 else {
      unlink(partial)
      throw unwritable(path)
    }
    unlink(partial)
  }

  private static func unwritable(_ path: String) -> Refusal {
    Refusal(.unavailable, "node.keys.write", Text("无法写入 \(path)（或已存在）。", "Cannot write \(path), or it exists."))
  }
}
