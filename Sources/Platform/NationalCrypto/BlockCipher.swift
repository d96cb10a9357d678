internal import COpenSSL

/// A block cipher of 16 bytes under one key, block by block (ECB): the ground on which modes are built, never for data as
/// it is. Used by one thread.
package final class BlockCipher {
  package enum Algorithm: String, Sendable {
    /// GB/T 32907-2016: 16 bytes of key.
    case sm4 = "SM4-ECB"
    /// FIPS 197, for what is verified against published vectors: 16, 24 or 32 bytes of key.
    case aes128 = "AES-128-ECB"
    case aes192 = "AES-192-ECB"
    case aes256 = "AES-256-ECB"

    package var keyLength: Int {
      switch self {
      case .sm4, .aes128: 16
      case .aes192: 24
      case .aes256: 32
      }
    }
  }

  private let context: OpaquePointer

  /// Nil for a key of another length.
  package init?(_ algorithm: Algorithm, key: [UInt8]) {
    guard key.count == algorithm.keyLength, let context = sj_block_cipher(algorithm.rawValue, key) else { return nil }
    self.context = context
  }

  deinit { EVP_CIPHER_CTX_free(context) }

  /// Encrypts one block in place.
  package func encrypt(_ block: UnsafeMutableRawPointer) {
    let bytes = block.assumingMemoryBound(to: UInt8.self)
    precondition(sj_encrypt_block(context, bytes) == 1, "OpenSSL did not encrypt a block")
  }
}
