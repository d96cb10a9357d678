import Glibc
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

/// How many ids this process has made, from a start by chance, so that two processes do not count alike.
private let made = Atomic<UInt64>(.random(in: 0..<(1 << 31)))

/// The system's chance, asked for in blocks: ids are made by the hundred thousand, and asking for each takes longer than
/// making it. A block is 256 bytes, the most that `getentropy` gives.
private struct Chances {
  private var words = [UInt64](repeating: 0, count: 32)
  private var used = 32

  mutating func next() -> UInt64 {
    if used == words.count {
      let isFilled = words.withUnsafeMutableBytes { getentropy($0.baseAddress!, $0.count) == 0 }
      precondition(isFilled, "the system gives no random numbers")
      used = 0
    }
    defer { used += 1 }
    return words[used]
  }
}

private let chances = Mutex(Chances())

/// 48 bits of milliseconds, 32 that count (RFC 9562, 6.2, method 1: 12 in `rand_a`, 20 at the head of `rand_b`), 42 of
/// chance.
///
/// The count goes on through all that the process makes and does not begin anew with a millisecond: what is made one
/// after another for the same instant sorts so, also when ids for other instants are made between, as by two
/// transactions at once. Once in four billion it wraps.
package func uuidVersion7(at now: Instant) -> String {
  let chance = chances.withLock { $0.next() } & 0x03FF_FFFF_FFFF
  let count = made.add(1, ordering: .relaxed).newValue & 0xFFFF_FFFF
  let high = UInt64(bitPattern: now.milliseconds) << 16 | 0x7000 | count >> 20
  let low = 0x8000_0000_0000_0000 | (count & 0xF_FFFF) << 42 | chance
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
