import ArgumentParser
import Catalog
import Foundation
import Kernel
import Storage
import Web

/// Asks a node that `bench fill` made what people ask, in this process, one question after the other, each with its counts
/// and facets as the page asks them; and compares what is found with a scan of every entry's text.
struct BenchSearch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "search", shouldDisplay: false)

  @OptionGroup var options: NodeOptions
  @Option(help: "How many entries it was filled with.") var entries = 1_000_000
  @Option(help: "Items of each.") var items = 12
  @Option(help: "Two- and three-character words, half of either.") var words = 240
  @Option(help: "Times that each question is asked.") var rounds = 3
  @Option(help: "Writes the words to this file, for a peer.") var queries: String?

  func run() async throws {
    let node = try await Node.open(try options.settings())
    let made = BenchEntries(count: entries, items: items)
    let reader = Principal(
      person: .make(at: node.clock.now()), name: "测量", organisation: nil, organisationName: "测量",
      permissions: [.readCatalog])
    func search(_ query: CatalogQuery) async throws -> CatalogHits {
      try await node.cataloguing.search(reader, query)
    }
    let before = Self.memory("VmRSS")
    let cold = try await ContinuousClock().measure { _ = try await search(CatalogQuery()) }
    let warming = try await ContinuousClock().measure { try await node.cataloguing.warmSearch() }
    let after = Self.memory("VmRSS")

    let words = Self.words(made, count: words)
    if let queries { try words.joined(separator: "\n").write(toFile: queries, atomically: true, encoding: .utf8) }
    let found = Self.scan(made, for: words)
    let wrong = try await compare(words, found, made, search)

    var figures: [(String, JSON)] = [
      ("coldMilliseconds", JSON(Int(cold.inMilliseconds))),
      ("warmingMilliseconds", JSON(Int(warming.inMilliseconds))), ("residentBefore", JSON(before)),
      ("residentWarm", JSON(after)),
      ("words", JSON(words.count)), ("wordsWithOtherHits", JSON(wrong.words)), ("missed", JSON(wrong.missed)),
      ("compared", JSON(wrong.compared)),
      ("moreThan10000", JSON(found.count { $0.count > CatalogSearch.countLimit })),
    ]
    for (name, queries) in Self.questions(words, found) {
      var times: [Double] = []
      var slowest = (0.0, "")
      for _ in 0..<rounds {
        for query in queries {
          let took = try await ContinuousClock().measure { _ = try await search(query) }
          let milliseconds = took / .milliseconds(1)
          if milliseconds > slowest.0 { slowest = (milliseconds, "\(query.text) \(Self.filters(query))") }
          times.append(milliseconds)
        }
      }
      times.sort()
      func at(_ share: Double) -> JSON {
        JSON(Int(times[min(times.count - 1, Int(Double(times.count) * share))] * 1000))
      }
      figures.append(
        (
          name,
          [
            "questions": JSON(queries.count), "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1),
            "slowest": .string(slowest.1),
          ]
        ))
    }
    figures.append(("residentPeak", JSON(Self.memory("VmHWM"))))
    await node.database.close()
    Terminal.printJSON(figures)
  }

  // MARK: Questions

  /// Half of them are pieces of entries drawn at random, so mostly of frequent texts; half are drawn from rare places.
  private static func words(_ made: BenchEntries, count: Int) -> [String] {
    var words: [String] = []
    var seen: Set<String> = []
    var step = 0
    while words.count < count, step < count * 100 {
      step += 1
      let entry = made.made(step * 7919 % made.count)
      let texts = [entry.name, entry.abstract, entry.providerName] + entry.items.map(\.name)
      let runs = texts[step % texts.count].split { !("\u{4e00}"..."\u{9fff}").contains($0) }
      let length = 2 + words.count % 2
      guard let run = runs.max(by: { $0.count < $1.count }), run.count >= length else { continue }
      let word = String(run.dropFirst(step * 31 % (run.count - length + 1)).prefix(length))
      if seen.insert(word).inserted { words.append(word) }
    }
    return words
  }

  private static func questions(
    _ words: [String], _ found: [(count: Int, first: [Int])]
  ) -> [(String, [CatalogQuery])] {
    let filters: [(inout CatalogQuery) -> Void] = [
      { $0.sharingType = "2" }, { $0.cycle = "4" }, { $0.isMounted = true }, { $0.node = "2" }, { $0.format = "02" },
      { $0.freshness = .late },
      {
        $0.sharingType = "1"
        $0.isMounted = false
      },
      { $0.provider = OrganisationID(trusted: "00000000-0000-7000-8000-000000000007") },
    ]
    let filtered = words.enumerated().map { index, word in
      var query = CatalogQuery(text: word)
      filters[index % filters.count](&query)
      return query
    }
    let pairs = zip(words, words.dropFirst(7)).map { CatalogQuery(text: "\($0) \($1)") }
    let long = ["法定代表人", "统一社会信用代码", "公民身份号码", "建设工程施工许可", "由各级主管部门", "社会保险缴费基数"].map { CatalogQuery(text: $0) }
    let bare = filters.map { filter in
      var query = CatalogQuery()
      filter(&query)
      return query
    }
    let frequent = words.indices.filter { found[$0].count > CatalogSearch.countLimit }.map {
      CatalogQuery(text: words[$0])
    }
    let rare = words.indices.filter { found[$0].count <= CatalogSearch.countLimit }.map {
      CatalogQuery(text: words[$0])
    }
    let letters = ["qyfr", "uscc", "dbdx", "000777", "30701", "户", "林", "x"].map { CatalogQuery(text: $0) }
    let mix = words.map { CatalogQuery(text: $0) } + filtered
    return [
      ("mix", mix), ("word", words.map { CatalogQuery(text: $0) }), ("frequent", frequent), ("rare", rare),
      ("filtered", filtered), ("pairs", pairs), ("long", long), ("filtersAlone", bare + [CatalogQuery()]),
      ("lettersAndSingle", letters),
    ].filter { !$0.1.isEmpty }
  }

  private static func filters(_ query: CatalogQuery) -> String {
    [
      query.node.map { "class=\($0)" }, query.sharingType.map { "sharing=\($0)" }, query.cycle.map { "cycle=\($0)" },
      query.isMounted.map { "mounted=\($0)" }, query.format.map { "format=\($0)" },
      query.freshness.map { "fresh=\($0.rawValue)" }, query.provider.map { _ in "provider" },
    ].compactMap { $0 }.joined(separator: " ")
  }

  // MARK: What a scan finds

  /// Of each word how many entries hold it, and the numbers of the first 1,000 of them.
  private static func scan(_ made: BenchEntries, for words: [String]) -> [(count: Int, first: [Int])] {
    var found = words.map { _ in (count: 0, first: [Int]()) }
    var byKey: [UInt64: Int] = [:]
    for (index, word) in words.enumerated() {
      byKey[word.unicodeScalars.reduce(0) { $0 << 21 | UInt64($1.value) }] = index
    }
    for number in 0..<made.count {
      var (a, b): (UInt64, UInt64) = (0, 0)
      for scalar in made.made(number).text.unicodeScalars {
        let c = UInt64(scalar.value)
        for key in [b << 21 | c, a << 42 | b << 21 | c] {
          guard let word = byKey[key], found[word].first.last != number || found[word].first.isEmpty else { continue }
          // Beyond the kept ones the last number stands for the entry that was counted last.
          if found[word].first.count <= kept {
            found[word].first.append(number)
          } else {
            found[word].first[kept] = number
          }
          found[word].count += 1
        }
        (a, b) = (b, c)
      }
    }
    return found.map { ($0.count, Array($0.first.prefix(kept))) }
  }

  private static let kept = 1000

  /// Compares totals up to ten thousand, whole sets up to `kept`, and of greater ones that what is shown holds the word.
  private func compare(
    _ words: [String], _ found: [(count: Int, first: [Int])], _ made: BenchEntries,
    _ search: (CatalogQuery) async throws -> CatalogHits
  ) async throws -> (words: Int, missed: Int, compared: Int) {
    var wrong = (words: 0, missed: 0, compared: 0)
    for (word, expected) in zip(words, found) {
      let first = try await search(CatalogQuery(text: word, limit: 100))
      var isRight = first.total == min(expected.count, CatalogSearch.countLimit)
      isRight = isRight && first.isTotalExact == (expected.count <= CatalogSearch.countLimit)
      isRight =
        isRight
        && first.entries.allSatisfy { entry in
          ResourceCode(entry.code).map { made.made($0.number - 1).text.contains(word) } ?? false
        }
      // Every facet that each entry has once must add up to the total.
      for facet in [first.sharingTypes, first.mounted, first.freshness, first.cycles] {
        isRight = isRight && facet.reduce(0) { $0 + $1.count } == first.total
      }
      if expected.count <= Self.kept {
        var seen = Set(first.entries.map(\.code))
        var after = first.next
        while let place = after {
          let page = try await search(CatalogQuery(text: word, after: place, limit: 100))
          seen.formUnion(page.entries.map(\.code))
          after = page.next
        }
        let missed = Set(expected.first.map { made.made($0).code.description }).subtracting(seen).count
        wrong.missed += missed
        wrong.compared += expected.count
        isRight = isRight && missed == 0 && seen.count == expected.count
      }
      if !isRight {
        wrong.words += 1
        Terminal.error("\(word): \(first.total) found, \(expected.count) by the scan")
      }
    }
    return wrong
  }

  /// A line of the process's status, in KiB.
  private static func memory(_ name: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
    return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
  }
}
