import Catalog
import Connecting
import Kernel

/// Plausible entries, each a pure function of its number: so a scan can look through all of them without holding them.
struct BenchEntries {
  let count: Int
  let items: Int

  /// The searched texts of one entry and what it is filtered by.
  struct Made {
    var name: String
    var abstract: String
    var node: String
    var provider: Int
    var providerName: String
    var sharingType: String
    var format: String
    var cycle: String
    var isMounted: Bool
    var freshness: Freshness
    var code: ResourceCode
    var items: [(name: String, column: String, description: String)]

    /// All that is searched, as one text.
    var text: String {
      ([name, abstract, providerName, Classification.embedded.name(of: node)]
        + items.flatMap { [$0.name, $0.description] })
        .joined(separator: "\n")
    }
  }

  private let nodes = ["1", "2", "3"].flatMap { top in
    Classification.embedded.children(of: top).flatMap { node in
      Classification.embedded.children(of: node.code).map(\.code)
    }
  }

  /// Numbers whose small values are frequent, like words.
  private struct Dice {
    var seed: UInt64

    mutating func next() -> UInt64 {
      seed &+= 0x9E37_79B9_7F4A_7C15
      var z = seed
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }

    mutating func even(_ count: Int) -> Int { Int(next() % UInt64(count)) }

    mutating func zipf(_ count: Int) -> Int {
      let u = Double(next() >> 11) / Double(1 << 53)
      return min(count - 1, Int(Double(count) * u * u * u))
    }

    mutating func pick(_ words: [String]) -> String { words[zipf(words.count)] }
  }

  func made(_ index: Int) -> Made {
    typealias V = BenchVocabulary
    var dice = Dice(seed: UInt64(index) &* 0x2545_F491_4F6C_DD1D)
    let place = dice.zipf(V.places.count)
    let office = dice.zipf(V.offices.count)
    let subject = dice.pick(V.subjects)
    let matter = dice.pick(V.matters)
    let year = 2010 + dice.even(16)
    let town =
      V.syllables[dice.even(V.syllables.count)] + V.syllables[dice.even(V.syllables.count)]
      + V.settlements[dice.even(V.settlements.count)]
    let name =
      dice.even(3) == 0
      ? "\(V.places[place])\(town)\(subject)\(matter)\(dice.pick(V.kinds))"
      : "\(V.places[place])\(subject)\(matter)\(dice.pick(V.kinds))（\(year)年）"
    let abstract =
      "\(V.places[place])\(dice.pick(V.subjects))与\(subject)有关的\(matter)事项，由各级主管部门在业务办理中形成，含\(dice.pick(V.items).prefix { $0 != "/" })、"
      + "\(dice.pick(V.items).prefix { $0 != "/" })等，涉及\(town)，\(dice.even(2) == 0 ? "每月" : "每日")更新。"
    var made = Made(
      name: name, abstract: abstract, node: nodes[dice.zipf(nodes.count)],
      provider: place * V.offices.count + office, providerName: V.places[place] + V.offices[office],
      sharingType: ["1", "2", "2", "3"][dice.even(4)], format: ["0311", "0311", "0310", "0203", "0105"][dice.even(5)],
      cycle: ["1", "3", "4", "6", "7", "9"][dice.even(6)], isMounted: dice.even(10) < 6, freshness: .unknown,
      code: ResourceCode(node: "3070120337", number: index + 1), items: [])
    if made.isMounted { made.freshness = [.current, .current, .current, .late, .unknown][dice.even(5)] }
    var used: Set<Int> = []
    for position in 0..<items {
      var number = dice.zipf(V.items.count)
      while !used.insert(number).inserted { number = (number + 1) % V.items.count }
      let parts = V.items[number].split(separator: "/").map(String.init)
      made.items.append(
        position % 4 == 3
          ? ("\(subject)\(parts[0])", parts[1], "\(matter)时填写的\(parts[0])") : (parts[0], parts[1], ""))
    }
    return made
  }

  /// The entry as the catalogue keeps it.
  func resource(_ index: Int, _ made: Made, at now: Instant) -> Resource {
    Resource(
      id: .make(at: now), state: .published, code: made.code, provider: provider(made.provider),
      providerName: made.providerName, providerCode: "11630000015000185P", system: nil,
      metadata: Metadata(
        name: made.name, classes: [made.node], abstract: made.abstract, format: made.format,
        sharingType: made.sharingType, sharingCondition: "用于依法履行职责时核对。", methodClass: "1", methodType: "1",
        openType: "3", cycle: made.cycle),
      items: made.items.enumerated().map { position, item in
        Item(
          id: .make(at: now), name: item.name, column: item.column, dataType: "C", length: 100, isKey: position == 0,
          type: .text, description: item.description)
      }, mount: nil, changedAt: now, submittedAt: now, publishedOn: now.dateInChina)
  }

  /// An office that is in no register: names of 2,000 real offices with their ids would prove no more.
  private func provider(_ number: Int) -> OrganisationID {
    let digits = String(number)
    return OrganisationID(
      trusted: "00000000-0000-7000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits)
  }
}
