internal import Identity
internal import Kernel
internal import Storage

/// For whom a local class may be: everybody, a division with those below it, or one office.
struct ClassUseChoices: Sendable {
  var divisions: [Division]
  var offices: [Organisation]
  /// There are more offices than a list can hold.
  var isCut: Bool

  /// What is kept already stays a choice, also where its office or division stands no more.
  func options(_ t: Language, keeping current: String, named name: String?) -> [(String, String)] {
    var options = [("", t("所有单位", "Every office"))]
    options += divisions.map { division in
      (
        ClassUse.division(division.code).text,
        t("地区：\(division.name)及以下各单位", "Division: \(division.name) and those below")
      )
    }
    options += offices.map { (ClassUse.office($0.id).text, t("单位：\($0.name)", "Office: \($0.name)")) }
    if !options.contains(where: { $0.0 == current }) { options.append((current, name ?? current)) }
    return options
  }
}

extension Cataloguing {
  /// The offices that stand today and the divisions they are in: down to the county, of each province that has one.
  func classUseChoices(_ principal: Principal) async throws -> ClassUseChoices {
    try principal.require(.reviewCatalog)
    let today = clock.today
    let offices = try await db.read { try providers.standing(today, $0) }
    let all = Divisions.embedded
    let provinces = Set(offices.map { String($0.division.prefix(2)) }).sorted()
    let divisions = provinces.flatMap { code in
      [all.division(code, on: today)].compactMap { $0 }
        + all.children(of: code, on: today).flatMap { [$0] + all.children(of: $0.code, on: today) }
    }
    return ClassUseChoices(
      divisions: divisions, offices: offices, isCut: offices.count == Providers.mostListed)
  }
}
