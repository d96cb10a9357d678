internal import Inventory
internal import Kernel

/// How alike two entries are, by what their items are called and by the pairs of characters of their names: whether one
/// department catalogues what another has already.
struct Likeness: Hashable, Sendable {
  /// Items that both have, and how many each has.
  var shared: Int
  var own: Int
  var other: Int
  /// Per cent of the pairs of characters in either name that are in both.
  var name: Int
  /// The names are the same, blanks, width and case aside.
  var isSameName: Bool

  init(_ a: Resource, _ b: Resource) {
    let (mine, theirs) = (Self.items(a), Self.items(b))
    shared = mine.intersection(theirs).count
    own = mine.count
    other = theirs.count
    let (one, two) = (Self.pairs(a.metadata.name), Self.pairs(b.metadata.name))
    let all = one.union(two).count
    name = all == 0 ? 0 : one.intersection(two).count * 100 / all
    isSameName = Self.fold(a.metadata.name) == Self.fold(b.metadata.name)
  }

  /// Per cent of the items of the smaller entry that the other has; of fewer than three it says nothing.
  var items: Int { min(own, other) < 3 ? 0 : shared * 100 / min(own, other) }

  /// Worth a reviewer's eye: the same name, most items the same, or half of them under much the same name.
  var isAlike: Bool { isSameName || items >= 70 || name >= 70 && (items >= 30 || min(own, other) < 3) }

  /// For the order of a list: the most alike first.
  var score: Int { (isSameName ? 100 : name) + 2 * items }

  /// 12 of 14 items alike.
  var explanation: Text {
    let names =
      isSameName ? Text("名称相同", "the same name") : Text("名称相似 \(name)%", "names \(name)% alike")
    return Text(
      "\(own) 个信息项中 \(shared) 个相同（对方 \(other) 项），\(names.chinese)",
      "\(shared) of \(own) items alike (the other has \(other)), \(names.english)")
  }

  /// What tells items apart from one department's database to another's: what they are called, not their columns.
  static func items(_ resource: Resource) -> Set<String> { Set(resource.items.map { fold($0.name) }) }

  /// Blanks, width, case and the form of characters aside.
  private static func fold(_ text: String) -> String { foldedForSearch(text).filter { !$0.isWhitespace } }

  private static func pairs(_ name: String) -> Set<String> {
    let characters = Array(fold(name))
    return characters.count < 2
      ? [String(characters)] : Set(zip(characters, characters.dropFirst()).map { "\($0)\($1)" })
  }

  // MARK: Bands

  /// Which bands an entry stands in. Entries that share one are compared: the same name always shares one, sets of items
  /// three quarters of which are the same do with 98 %, unlike ones hardly ever. (Locality-sensitive hashing over MinHash:
  /// two smallest hashes make a band, so that what everybody has, like 姓名 alone, makes none.)
  static func bands(of resource: Resource) -> [Int64] {
    var bands = [band("n", [fold(resource.metadata.name)])]
    bands += banded("p", pairs(resource.metadata.name), count: 3)
    let items = items(resource)
    if items.count >= 3 { bands += banded("i", items, count: 5) }
    return Array(Set(bands)).sorted()
  }

  private static func banded(_ kind: String, _ set: Set<String>, count: Int) -> [Int64] {
    (0..<count).map { number in
      let smallest = (0..<2).map { part in
        set.min { hash("\(number).\(part).\($0)") < hash("\(number).\(part).\($1)") } ?? ""
      }
      return band("\(kind)\(number)", smallest)
    }
  }

  private static func band(_ kind: String, _ parts: [String]) -> Int64 {
    Int64(bitPattern: hash(kind + "\t" + parts.joined(separator: "\t")))
  }

  /// FNV-1a with a final mix: the same on every machine and in every version, which Swift's own hash is not.
  private static func hash(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
    return hash ^ (hash >> 33)
  }
}
