package import Kernel

// Numbers with right check digits that nobody was ever given.

extension CreditCode {
  /// A unified social credit code whose organisation part starts with `PDY`, which GB 11714 reserves for use by
  /// whoever needs a code of his own; `serial` up to 99,999 uses digits, above that letters.
  package static func fictitious(department: Character, category: Character, division: String, serial: Int) -> String {
    let alphabet = Array("0123456789ABCDEFGHJKLMNPQRTUWXY")
    var rest = serial
    var body = ""
    for _ in 0..<6 {
      body = String(alphabet[rest % 31]) + body
      rest /= 31
    }
    let organisation = "PD\(body)"
    let head = "\(department)\(category)\(division)\(organisation)\(OrganisationCode.checkCharacter(of: organisation))"
    return head + String(CreditCode.checkCharacter(of: head))
  }
}

extension CitizenID {
  /// An identity number of a day and place, with a right check character. The register it appears in is generated.
  package static func fictitious(division: String, born: CalendarDate, serial: Int) -> String {
    let day = born.description.filter { $0 != "-" }
    let order = serial < 10 ? "00\(serial)" : serial < 100 ? "0\(serial)" : "\(serial)"
    let head = "\(division)\(day)\(order)"
    return head + String(CitizenID.checkCharacter(of: head))
  }
}
