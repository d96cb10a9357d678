package import Connecting
import NationalCrypto

/// A bad row as it was read, for the provider's eyes only.
package enum SealedRow {
  /// The row's fields by item, in the order they were read.
  package struct Opened: Sendable {
    package var items: [String]
    package var fields: [RowField]
  }

  /// `row` in the batch form, malformed fields and all.
  static func seal(_ row: UnsafeRawBufferPointer, items: [String], plan: DeliveryPlan) -> [UInt8] {
    let names = Array(items.joined(separator: "\u{1F}").utf8)
    let plain = withUnsafeBytes(of: UInt32(names.count).bigEndian) { [UInt8]($0) } + names + row
    return Sealed.seal(plain, key: plan.providerKey, context: context(plan.grant))
  }

  /// Throws `Sealed.Failure` for another key, another grant, or bytes that were changed.
  package static func open(_ sealed: [UInt8], key: [UInt8], grant: String) throws -> Opened {
    let plain = try Sealed.open(sealed, key: key, context: context(grant))
    return try plain.withUnsafeBytes { bytes in
      guard bytes.count >= 4 else { throw Sealed.Failure.unreadable }
      let length = Int(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
      guard bytes.count >= 6 + length else { throw Sealed.Failure.unreadable }
      let names = String(decoding: bytes[4..<4 + length], as: UTF8.self).split(separator: "\u{1F}").map(String.init)
      return Opened(items: names, fields: RowField.fields(of: UnsafeRawBufferPointer(rebasing: bytes[(4 + length)...])))
    }
  }

  private static func context(_ grant: String) -> String { "sanjiang quarantine \(grant)" }
}
