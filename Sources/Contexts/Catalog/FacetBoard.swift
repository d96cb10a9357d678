internal import Kernel
internal import Storage
import Synchronization

/// The filters' values of every entry in force, kept in memory (about 20 bytes an entry), so that ten thousand hits are
/// counted by every filter in a fraction of a millisecond.
///
/// It follows the entries by their `place`, which only grows and becomes visible in that order. Nothing but a measured
/// condition changes under an entry's place, and each such change has a number that grows likewise. What left the
/// catalogue stays on the board and is never among the hits.
package final class FacetBoard: Sendable {
  /// How many of the hits have each value.
  struct Counts {
    var providers: [String: (name: String, count: Int)] = [:]
    var sharingTypes: [String: Int] = [:]
    var formats: [String: Int] = [:]
    var cycles: [String: Int] = [:]
    var classes: [String: Int] = [:]
    var mounted: [String: Int] = [:]
    var freshness: [String: Int] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  /// Reads what came since the last time.
  func follow(_ classification: Classification, in tx: any Transaction) throws {
    try state.withLock { state in try state.catchUp(classification, in: tx) }
  }

  /// Counts the hits' values; `depth` says on which level of the classification (1 for the three classes).
  func count(
    _ places: [Int], depth: Int, classification: Classification, in tx: any Transaction
  ) throws -> Counts {
    try state.withLock { state in
      try state.catchUp(classification, in: tx)
      return state.count(places, depth: depth)
    }
  }

  /// Numbers for texts that recur.
  private struct Numbers {
    private(set) var texts: [String] = []
    private var numbers: [String: UInt16] = [:]

    mutating func of(_ text: String) -> UInt16 {
      if let number = numbers[text] { return number }
      // More than 65,535 offices or classes are no province; what comes beyond shares the last number.
      let number = UInt16(clamping: texts.count)
      if texts.count <= Int(UInt16.max) { texts.append(text) }
      numbers[text] = number
      return number
    }

    func counted(_ counts: [Int]) -> [String: Int] {
      var named: [String: Int] = [:]
      for (number, count) in counts.enumerated() where count > 0 { named[texts[number]] = count }
      return named
    }
  }

  private struct Values {
    var provider, sharingType, format, cycle: UInt16
    var isMounted: Bool
    var freshness: Freshness
    /// Where its classes begin in `classes`, and how many they are.
    var firstClass: UInt32
    var classCount: UInt16
  }

  private struct State {
    var values: [Values?] = []
    var classes: [UInt16] = []
    var seen = 0
    /// Of the classification it was counted by.
    var mapping = 0
    var seenCondition = 0
    var providers = Numbers()
    var providerNames: [String] = []
    var sharingTypes = Numbers()
    var formats = Numbers()
    var cycles = Numbers()
    var nodes = Numbers()
    var depths: [UInt8] = []
    private var numbersOfClasses: [String: [UInt16]] = [:]

    mutating func catchUp(_ classification: Classification, in tx: any Transaction) throws {
      // A class that is mapped anew counts under other nodes: everything is read again.
      if mapping != classification.mapping {
        self = State()
        mapping = classification.mapping
      }
      // Mostly nothing came, which one row says.
      guard
        let newest = try tx.row(
          """
          SELECT (SELECT MAX(place) FROM catalog_entry) AS place,
            (SELECT MAX(condition_change) FROM catalog_entry) AS change
          """),
        try newest.intOrNil("place") ?? 0 > seen || newest.intOrNil("change") ?? 0 > seenCondition
      else { return }
      // A read that fails half way leaves whole rows only: the next goes on after the last of them.
      try tx.forEach(
        """
        SELECT place, provider, provider_name, sharing_type, format_class, cycle, classes, is_mounted, freshness
        FROM catalog_entry WHERE place > \(seen) ORDER BY place
        """
      ) { row in
        let place = try row.int("place")
        let provider = providers.of(try row.text("provider"))
        if Int(provider) >= providerNames.count { providerNames.append("") }
        providerNames[Int(provider)] = try row.text("provider_name")
        let nodes = numbers(ofClasses: try row.text("classes"), classification)
        if values.count <= place { values.append(contentsOf: repeatElement(nil, count: place + 1 - values.count)) }
        values[place] = Values(
          provider: provider, sharingType: sharingTypes.of(try row.text("sharing_type")),
          format: formats.of(try row.text("format_class")), cycle: cycles.of(try row.text("cycle")),
          isMounted: try row.bool("is_mounted"), freshness: try row.choice("freshness"),
          firstClass: UInt32(classes.count), classCount: UInt16(nodes.count))
        classes.append(contentsOf: nodes)
        seen = place
        return true
      }
      try tx.forEach(
        """
        SELECT place, is_mounted, freshness, condition_change FROM catalog_entry
        WHERE condition_change > \(seenCondition) ORDER BY condition_change
        """
      ) { row in
        let place = try row.int("place")
        values[place]?.isMounted = try row.bool("is_mounted")
        values[place]?.freshness = try row.choice("freshness")
        seenCondition = try row.int("condition_change")
        return true
      }
    }

    /// The nodes of an entry's classes with all above them.
    private mutating func numbers(ofClasses text: String, _ classification: Classification) -> [UInt16] {
      if let known = numbersOfClasses[text] { return known }
      var numbers: Set<UInt16> = []
      for code in text.split(separator: " ") {
        for branch in classification.branches(of: String(code)) {
          for (depth, node) in branch.enumerated() {
            let number = nodes.of(node.code)
            if Int(number) >= depths.count { depths.append(UInt8(clamping: depth + 1)) }
            numbers.insert(number)
          }
        }
      }
      // Most entries have one class; what is seldom together is worked out again.
      if numbersOfClasses.count < 10_000 { numbersOfClasses[text] = Array(numbers) }
      return Array(numbers)
    }

    func count(_ places: [Int], depth: Int) -> Counts {
      var byProvider = [Int](repeating: 0, count: providers.texts.count)
      var bySharing = [Int](repeating: 0, count: sharingTypes.texts.count)
      var byFormat = [Int](repeating: 0, count: formats.texts.count)
      var byCycle = [Int](repeating: 0, count: cycles.texts.count)
      var byMounted = [0, 0]
      var byFreshness = [0, 0, 0]
      var byNode = [Int](repeating: 0, count: nodes.texts.count)
      for place in places where place < values.count {
        guard let found = values[place] else { continue }
        byProvider[Int(found.provider)] += 1
        bySharing[Int(found.sharingType)] += 1
        byFormat[Int(found.format)] += 1
        byCycle[Int(found.cycle)] += 1
        byMounted[found.isMounted ? 1 : 0] += 1
        byFreshness[found.freshness == .current ? 0 : found.freshness == .late ? 1 : 2] += 1
        let first = Int(found.firstClass)
        for node in classes[first..<first + Int(found.classCount)] where Int(depths[Int(node)]) == depth {
          byNode[Int(node)] += 1
        }
      }
      var counts = Counts()
      for (number, count) in byProvider.enumerated() where count > 0 {
        counts.providers[providers.texts[number]] = (providerNames[number], count)
      }
      counts.sharingTypes = sharingTypes.counted(bySharing)
      counts.formats = formats.counted(byFormat)
      counts.cycles = cycles.counted(byCycle)
      counts.classes = nodes.counted(byNode)
      counts.mounted = ["0": byMounted[0], "1": byMounted[1]].filter { $0.value > 0 }
      for (freshness, count) in zip([Freshness.current, .late, .unknown], byFreshness) where count > 0 {
        counts.freshness[freshness.rawValue] = count
      }
      return counts
    }
  }
}
