import Demo
import Kernel
import TestKit
import Testing

@Suite struct LegalPersonTests {
  let generator = LegalPersonGenerator(count: 5000)

  @Test func `the same seed and number give the same row`() {
    #expect(generator.row(4321) == LegalPersonGenerator(count: 10).row(4321))
    #expect(LegalPersonGenerator(seed: 1, count: 1).row(0) != LegalPersonGenerator(seed: 2, count: 1).row(0))
  }

  @Test func `every row is sound but those that are wrong on purpose`() throws {
    let today = CalendarDate(year: 2026, month: 1, day: 1)!
    var codes: Set<String> = []
    for index in 0..<generator.count {
      let row = generator.row(index)
      let code = row.creditCode ?? ""
      let sound =
        (try? CreditCode(code)) != nil && row.name.count <= 100 && CalendarDate(row.established) != nil
      #expect(sound == (generator.flaw(of: index) == nil), "row \(index)")
      #expect((try? CitizenID(row.representativeID, on: today)) != nil)
      #expect(codes.insert(code).inserted || code.isEmpty)
    }
  }

  @Test(arguments: [0, 617, 618, 1617, 1618, 200_000])
  func `flaws are counted exactly`(count: Int) {
    let generator = LegalPersonGenerator(count: count)
    #expect(generator.flawCount == (0..<count).count { generator.flaw(of: $0) != nil })
  }
}
