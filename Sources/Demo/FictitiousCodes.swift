package import Kernel

// Numbers with right check digits that nobody was ever given.

extension CreditCode {
  /// The code of row `serial`: a registering office `6390xx` that does not exist, and an organisation code from
  /// `PDY00001` to `PDY99999`, which GB 11714 leaves to users. Different for every serial below ten million.
  package static func fictitious(category: Character, serial: Int) -> String {
    let office = "6390" + twoDigits(serial / 99_999 % 100)
    let number = String(serial % 99_999 + 1)
    let body = "PDY" + String(repeating: "0", count: 5 - number.count) + number
    return try! CreditCode.make(department: "9", category: category, division: office, organisation: body).text
  }
}

extension CitizenID {
  /// An identity number of a day and place, with a right check character. The register it appears in is generated.
  package static func fictitious(division: String, born: CalendarDate, serial: Int) -> String {
    let day = born.description.filter { $0 != "-" }
    let order = serial < 10 ? "00\(serial)" : serial < 100 ? "0\(serial)" : "\(serial)"
    let head = "\(division)\(day)\(order)"
    return head + String(UnicodeScalar(CitizenID.checkCharacter(of: Array(head.utf8)[...])))
  }
}

private func twoDigits(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
