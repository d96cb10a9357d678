/// Positions of some of a table's rows, in the order of the key, and where they cut it. Keeps at most 40,000 of however many
/// it is given.
package struct KeySample {
  package private(set) var seen = 0
  private var places: [[UInt8]] = []
  /// One of so many is kept.
  private var stride = 1

  private static let most = 40_000

  package init() {}

  /// In the key's order.
  package mutating func add(_ place: @autoclosure () -> [UInt8]) {
    defer { seen += 1 }
    guard seen.isMultiple(of: stride) else { return }
    places.append(place())
    guard places.count == Self.most else { return }
    stride *= 2
    places = places.indices.filter { $0.isMultiple(of: 2) }.map { places[$0] }
  }

  /// At most `count - 1` places that part the rows evenly; those that cannot be begun behind are left out.
  package func cuts(into count: Int, where isUsable: ([UInt8]) -> Bool = { _ in true }) -> [[UInt8]] {
    var cuts: [[UInt8]] = []
    for part in 1..<max(1, count) {
      let place = places.count * part / count - 1
      if place >= 0, places[place] != cuts.last, isUsable(places[place]) { cuts.append(places[place]) }
    }
    return cuts
  }
}
