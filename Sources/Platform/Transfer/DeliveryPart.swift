import Connecting
import Kernel
import NationalCrypto

/// A part of a first full delivery: a range of the source's keys, for a worker of its own. `Delivery.split` makes them, and
/// each is carried out by a plan that has it.
package struct DeliveryPart: Hashable, Sendable {
  /// From 0.
  package let index: Int
  /// How many parts the delivery has.
  package let count: Int
  /// The source's own positions: the part begins behind the one and ends at the other; nil for the table's ends.
  package let after: [UInt8]?
  package let through: [UInt8]?
  /// The numbers that this part's batches may have, and no other's.
  package let batches: ClosedRange<Int64>
  /// What all parts read in, so that together they are the table as it was at one moment; nil where each reads its rows as they
  /// are when it begins.
  package let view: String?

  /// How many parts there may be.
  package static let counts = 2...64
  /// Numbers of one part: as many batches of the smallest size have more bytes than any target.
  static let room: Int64 = 1_000_000_000
}

extension DeliveryPart {
  private static let head = "sanjiang-part 1"

  /// To be kept; `init(_:)` reads it back.
  package var text: String {
    """
    \(Self.head)
    place \(index) \(count)
    batches \(batches.lowerBound) \(batches.upperBound)
    after \(after?.hex ?? "-")
    through \(through?.hex ?? "-")
    view \(view ?? "-")
    """
  }

  package init?(_ text: String) {
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    // Without a view as it was written before there were any.
    guard lines.count == 5 || lines.count == 6 && lines[5].count == 2, text.hasPrefix(Self.head + "\n"),
      lines[1].count == 3, lines[2].count == 3,
      lines[3].count == 2, lines[4].count == 2, let index = Int(lines[1][1]), let count = Int(lines[1][2]),
      let first = Int64(lines[2][1]), let last = Int64(lines[2][2]), first <= last
    else { return nil }
    (self.index, self.count) = (index, count)
    batches = first...last
    (after, through) = (Self.position(lines[3][1]), Self.position(lines[4][1]))
    view = lines.count == 6 && lines[5][1] != "-" ? String(lines[5][1]) : nil
  }

  private static func position(_ text: Substring) -> [UInt8]? { text == "-" ? nil : [UInt8](hex: text) }
}

/// What the target remembers of a delivery while it is carried out in parts: which they are. Each part's own state stands
/// beside it.
struct SplitState: Hashable {
  var run: String
  var schema: String
  /// The first batch of the first part.
  var first: Int64
  var cuts: [[UInt8]]
  var view: String?

  var parts: [DeliveryPart] {
    (0...cuts.count).map { index in
      let first = first + Int64(index) * DeliveryPart.room
      return DeliveryPart(
        index: index, count: cuts.count + 1, after: index == 0 ? nil : cuts[index - 1],
        through: index == cuts.count ? nil : cuts[index], batches: first...first + DeliveryPart.room - 1,
        view: view)
    }
  }

  /// The last number that any part may use.
  var last: Int64 { first + Int64(cuts.count + 1) * DeliveryPart.room - 1 }

  private static let head = "sanjiang-split 1"

  var text: String {
    ([Self.head, "run \(run)", "schema \(schema)", "first \(first)"] + (view.map { ["view \($0)"] } ?? [])
      + cuts.map { "cut \($0.hex)" })
      .joined(separator: "\n")
  }

  init(run: String, schema: String, first: Int64, cuts: [[UInt8]], view: String?) {
    (self.run, self.schema, self.first, self.cuts, self.view) = (run, schema, first, cuts, view)
  }

  /// Nil for any other state.
  init?(_ text: String) {
    let lines = text.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1) }
    guard text.hasPrefix(Self.head + "\n"), lines.count > 4, lines.allSatisfy({ $0.count == 2 }),
      let first = Int64(lines[3][1])
    else { return nil }
    let view = lines[4][0] == "view" ? String(lines[4][1]) : nil
    let cuts = lines.dropFirst(view == nil ? 4 : 5)
    self.init(
      run: String(lines[1][1]), schema: String(lines[2][1]), first: first,
      cuts: cuts.compactMap { [UInt8](hex: $0[1]) }, view: view)
    guard self.cuts.count == cuts.count else { return nil }
  }
}
