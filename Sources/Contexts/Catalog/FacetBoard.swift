internal import Kernel
internal import Storage
import Synchronization

/// The filters' values of every entry in force, kept in memory (about 20 bytes an entry), so that ten thousand hits are
/// counted by class, provider, sharing type, format and cycle in a fraction of a millisecond.
///
/// It follows the entries by their `place`, which only grows and becomes visible in that order; a row is never
/// changed under its place. What left the catalogue stays on the board and is never among the hits.
package final class FacetBoard: Sendable {
  /// How many of the hits have each value.
  struct Counts {
    var providers: [String: (name: String, count: Int)] = [:]
    var sharingTypes: [String: Int] = [:]
    var formats: [String: Int] = [:]
    var cycles: [String: Int] = [:]
    var classes: [String: Int] = [:]
  }

  private let state = Mutex(State())

  package init() {}

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
    var providers = Numbers()
    var providerNames: [String] = []
    var sharingTypes = Numbers()
    var formats = Numbers()
    var cycles = Numbers()
    var nodes = Numbers()
    var depths: [UInt8] = []

    mutating func catchUp(_ classification: Classification, in tx: any Transaction) throws {
      // A class that is mapped anew counts under other nodes: everything is read again.
      if mapping != classification.mapping {
        self = State()
        mapping = classification.mapping
      }
      // A read that fails half way leaves whole rows only: the next goes on after the last of them.
      try tx.forEach(
        """
        SELECT place, provider, provider_name, sharing_type, format_class, cycle, classes FROM catalog_entry
        WHERE place > \(seen) ORDER BY place
        """
      ) { row in
        let place = try row.int("place")
        let provider = providers.of(try row.text("provider"))
        if Int(provider) >= providerNames.count { providerNames.append("") }
        providerNames[Int(provider)] = try row.text("provider_name")
        var nodes: Set<UInt16> = []
        for code in try row.text("classes").split(separator: " ") {
          for branch in classification.branches(of: String(code)) {
            for (depth, node) in branch.enumerated() {
              let number = self.nodes.of(node.code)
              if Int(number) >= depths.count { depths.append(UInt8(clamping: depth + 1)) }
              nodes.insert(number)
            }
          }
        }
        if values.count <= place { values.append(contentsOf: repeatElement(nil, count: place + 1 - values.count)) }
        values[place] = Values(
          provider: provider, sharingType: sharingTypes.of(try row.text("sharing_type")),
          format: formats.of(try row.text("format_class")), cycle: cycles.of(try row.text("cycle")),
          firstClass: UInt32(classes.count), classCount: UInt16(nodes.count))
        classes.append(contentsOf: nodes)
        seen = place
        return true
      }
    }

    func count(_ places: [Int], depth: Int) -> Counts {
      var byProvider = [Int](repeating: 0, count: providers.texts.count)
      var bySharing = [Int](repeating: 0, count: sharingTypes.texts.count)
      var byFormat = [Int](repeating: 0, count: formats.texts.count)
      var byCycle = [Int](repeating: 0, count: cycles.texts.count)
      var byNode = [Int](repeating: 0, count: nodes.texts.count)
      for place in places where place < values.count {
        guard let found = values[place] else { continue }
        byProvider[Int(found.provider)] += 1
        bySharing[Int(found.sharingType)] += 1
        byFormat[Int(found.format)] += 1
        byCycle[Int(found.cycle)] += 1
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
      return counts
    }
  }
}
