import Connecting
import NationalCrypto

// A row's key as others may see it.

extension CompiledPlan {
  /// As delivered, with the count of its fields in front: nil when a field of the key cannot be read.
  func deliveredKey(_ row: UnsafeRawBufferPointer) -> [UInt8]? {
    let fields = RowField.fields(of: row)
    var bytes = withUnsafeBytes(of: Int16(key.count).bigEndian) { [UInt8]($0) }
    for index in key {
      guard index < fields.count, case .value(var value) = fields[index] else { return nil }
      if self.fields[index].mask == .pseudonym {
        value = Array(HMAC.authenticate(value, key: keys.pseudonym).hex.utf8)
      }
      bytes += withUnsafeBytes(of: Int32(value.count).bigEndian) { [UInt8]($0) } + value
    }
    return bytes
  }

  /// HMAC-SM3 under a key of the grant, hexadecimal; nil when the key itself cannot be read.
  func keyDigest(_ row: UnsafeRawBufferPointer) -> String? {
    let fields = RowField.fields(of: row)
    var bytes: [UInt8] = []
    for index in key {
      guard index < fields.count, case .value(let value) = fields[index] else { return nil }
      bytes += withUnsafeBytes(of: Int32(value.count).bigEndian) { [UInt8]($0) } + value
    }
    return HMAC.authenticate(bytes, key: keys.keyDigest).hex
  }

  func badRow(_ row: UnsafeRawBufferPointer, _ fault: RowTransform.Fault) -> BadRow {
    let names = readColumns.map(\.name)
    return BadRow(
      position: fault.row, keyDigest: keyDigest(row), item: names[min(fault.field, names.count - 1)],
      fault: fault.fault, sealed: SealedRow.seal(row, items: names, plan: plan))
  }
}
