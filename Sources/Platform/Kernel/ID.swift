import Synchronization

/// The name of one `Thing`, which cannot be taken for another thing's name.
///
/// A UUID of version 7 (RFC 9562) as 36 lower-case characters: made in Swift, sortable by time of making.
package struct ID<Thing>: Hashable, Comparable, Sendable {
  package let text: String

  /// For text that is known to be an id, such as a column that only ever held ids.
  package init(trusted text: String) { self.text = text }

  /// For text from outside; nil unless it has the form of a UUID in lower case.
  package init?(_ text: some StringProtocol) {
    guard isLowerCaseUUID(text.utf8) else { return nil }
    self.text = String(text)
  }

  package static func make(at now: Instant = Clock.system.now()) -> ID { ID(trusted: uuidVersion7(at: now)) }

  package static func < (a: ID, b: ID) -> Bool { a.text < b.text }
}

extension ID: CustomStringConvertible {
  package var description: String { text }
}

/// The last id's millisecond and counter in this process.
private let lastMade = Mutex<(milliseconds: Int64, counter: UInt64)>((.min, 0))

/// 48 bits of milliseconds, 12 that count within one (RFC 9562, 6.2, method 1), 62 of chance: what this process makes one
/// after another sorts so, at least up to two thousand in a millisecond.
package func uuidVersion7(at now: Instant) -> String {
  var random = SystemRandomNumberGenerator()
  let (a, b) = (random.next() as UInt64, random.next() as UInt64)
  let counter = lastMade.withLock { last in
    last = (now.milliseconds, last.milliseconds == now.milliseconds ? min(last.counter + 1, 0x0FFF) : a & 0x07FF)
    return last.counter
  }
  let high = UInt64(bitPattern: now.milliseconds) << 16 | 0x7000 | counter
  let low = 0x8000_0000_0000_0000 | (b & 0x3FFF_FFFF_FFFF_FFFF)
  return String(unsafeUninitializedCapacity: 36) { buffer in
    let digits: StaticString = "0123456789abcdef"
    var position = 0
    for nibble in 0..<32 {
      if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
        buffer[position] = UInt8(ascii: "-")
        position += 1
      }
      let word = nibble < 16 ? high : low
      buffer[position] = digits.utf8Start[Int(word >> UInt64((15 - nibble % 16) * 4) & 0xF)]
      position += 1
    }
    return 36
  }
}

private func isLowerCaseUUID(_ text: some Collection<UInt8>) -> Bool {
  var position = 0
  for byte in text {
    switch position {
    case 8, 13, 18, 23: guard byte == UInt8(ascii: "-") else { return false }
    case 0..<36:
      guard (48...57).contains(byte) || (97...102).contains(byte) else { return false }
    default: return false
    }
    position += 1
  }
  return position == 36
}
