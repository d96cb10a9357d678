package import Catalog
import Connecting
import Deadlines
import Foundation
import Identity
import Kernel
package import Web

/// The census's addresses.
package struct CensusRoutes: Sendable {
  static let workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

  let census: Census
  let desk: ImportDesk

  package static func routes(_ census: Census, desk: ImportDesk) -> [Route] {
    let site = CensusRoutes(census: census, desk: desk)
    return site.campaigns + site.running + site.returns + site.files + CensusAPI(census: census).routes
  }

  // MARK: Campaigns

  private var campaigns: [Route] {
    [
      .get("/census", .permission(.readCensus)) { request in
        let principal = try request.visitor()
        let found = try await census.campaigns(principal, before: try request.queryID("before"), limit: 51)
        return .page(
          CampaignPages.list(
            request, Array(found.prefix(50)), next: found.count > 50 ? found[49].campaign.id : nil,
            mayRun: principal.may(.runCensus)))
      },
      .get("/census/campaigns/{id}", .permission(.readCensus)) { request in
        let totals = try await census.totals(request.visitor(), request.id())
        return .page(
          TotalsPage.render(
            request, totals, onlyLate: try request.queryFlag("late") ?? false, census.classification))
      },
      .get("/census/campaigns/{id}/lines", .permission(.readCensus)) { request in
        let category = request.query["category"].map { String($0.prefix(3)) }
        let found = try await census.lines(
          request.visitor(),
          .init(
            campaign: try request.id(), category: category, after: request.query["after"].map { String($0.prefix(64)) },
            limit: 50))
        return .page(TotalsPage.lines(request, found, category: category, census.classification))
      },
    ]
  }

  private var running: [Route] {
    [
      .get("/census/new", .permission(.runCensus)) { request in
        if let running = try await census.running(request.visitor()) {
          return .page(CampaignPages.running(request, running, status: 200))
        }
        let offices = try await census.askable(request.visitor())
        let usual = census.usualPeriod
        // All of them, until somebody thinks otherwise.
        let values = Fields(
          [("workingDays", "\(usual?.value ?? 0)"), ("referenceDay", "\(request.now.dateInChina)")]
            + offices.map { ("office", $0.id.text) })
        return .page(CampaignPages.new(request, offices, usual: usual, values: values, refusal: nil))
      },
      .post("/census", .permission(.runCensus)) { request in
        let principal = try request.visitor()
        do {
          let campaign = try await census.open(principal, try Self.draft(request.form))
          return .redirect(
            CensusLink.campaign(campaign.id),
            flash: Text("已发起，正在为各单位生成填报表。", "Opened; the organisations' lines are being laid out."))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(
            CampaignPages.new(
              request, try await census.askable(principal), usual: census.usualPeriod, values: request.form,
              refusal: refusal))
        } catch let refusal as Refusal where refusal.code == Census.isRunning.code {
          guard let running = try await census.running(principal) else { throw refusal }
          return .page(CampaignPages.running(request, running, status: refusal.status))
        }
      },
      .get("/census/campaigns/{id}/close", .permission(.runCensus)) { request in
        let totals = try await census.totals(request.visitor(), request.id())
        _ = try totals.campaign.state.applying(.close)
        return .page(CampaignPages.close(request, totals))
      },
      .post("/census/campaigns/{id}/close", .permission(.runCensus)) { request in
        let id: CampaignID = try request.id()
        try await census.close(request.visitor(), id)
        return .redirect(CensusLink.campaign(id), flash: Text("普查已结束，数据冻结。", "Closed; the numbers are frozen."))
      },
      .post("/census/returns/{id}/decide", .permission(.runCensus)) { request in
        let id: CensusReturnID = try request.id()
        do {
          switch request.form["decision"] {
          case "accept":
            try await census.decide(request.visitor(), id, .accept)
            return .redirect(CensusLink.owner(id), flash: Text("已验收。", "Accepted."))
          case "return":
            try await census.decide(request.visitor(), id, .sendBack(reasons: request.form["reasons"] ?? ""))
            return .redirect(CensusLink.owner(id), flash: Text("已退回。", "Sent back."))
          default:
            throw Refusal.invalid("census.decision", "reasons", Text("请选择验收或退回。", "Choose to accept or to send back."))
          }
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(try await page(request, id, entered: request.form, refusal: refusal))
        }
      },
    ]
  }

  private static func draft(_ form: Fields) throws -> CampaignDraft {
    let offices = try form.all("office").map { text in
      guard let id = OrganisationID(text) else {
        throw Refusal.invalid("census.office", "office", Text("请选择现有单位。", "Choose standing organisations."))
      }
      return id
    }
    return CampaignDraft(
      name: form["name"] ?? "", referenceDay: form["referenceDay"].flatMap { CalendarDate($0) },
      workingDays: form["workingDays"].map { Int($0) ?? 0 }, offices: offices)
  }

  // MARK: Returns

  private static let submitted = Text("已提交，等待验收。", "Submitted; it waits to be accepted.")

  private var returns: [Route] {
    [
      .get("/census/returns/{id}", .permission(.readCensus)) { request in
        .page(try await page(request, try request.id()))
      },
      .post("/census/returns/{id}", .permission(.fillCensus)) { request in
        let id: CensusReturnID = try request.id()
        do {
          let entries = try Self.entries(request.form)
          if request.form["then"] == "submit" {
            try await census.submit(request.visitor(), id, with: entries)
            return .redirect(CensusLink.owner(id), flash: Self.submitted)
          }
          let saved = try await census.save(request.visitor(), id, entries)
          let goesOn = request.form["then"] == "next"
          let after = goesOn ? request.form["next"] : request.query["after"]
          return .redirect(
            CensusLink.owner(
              id, category: request.query["category"], origin: try request.queryChoice("origin"), after: after)
              + "#lines", flash: Text("已保存 \(saved) 行。", "\(saved) lines kept."))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(try await page(request, id, entered: request.form, refusal: refusal))
        }
      },
      .post("/census/returns/{id}/submit", .permission(.fillCensus)) { request in
        let id: CensusReturnID = try request.id()
        try await census.submit(request.visitor(), id)
        return .redirect(CensusLink.owner(id), flash: Self.submitted)
      },
      .post("/census/returns/{id}/recall", .permission(.fillCensus)) { request in
        let id: CensusReturnID = try request.id()
        try await census.recall(request.visitor(), id)
        return .redirect(CensusLink.owner(id), flash: Text("已撤回。", "Taken back."))
      },
    ]
  }

  /// What a page of lines carries. A number that cannot be read is a fault of its field.
  private static func entries(_ form: Fields) throws -> [LineEntry] {
    var entries: [LineEntry] = []
    var faults: [Refusal.Fault] = []
    while let code = form["lines.\(entries.count).code"] {
      let index = entries.count
      var numbers = SixQuantities.zero
      for quantity in Quantity.allCases {
        let name = "lines.\(index).\(quantity.rawValue)"
        guard let value = SixQuantities.read(form[name] ?? "", quantity) else {
          faults.append(.init(name, SixQuantities.range(quantity)))
          continue
        }
        numbers[quantity] = value
      }
      entries.append(
        LineEntry(code: code, revision: form["lines.\(index).revision"].map { Int($0) ?? 0 }, numbers: numbers))
    }
    guard faults.isEmpty else { throw Refusal.invalid("census.numbers", faults) }
    return entries
  }

  private func page(
    _ request: Request, _ id: CensusReturnID, entered: Fields = Fields(), refusal: Refusal? = nil
  ) async throws -> Page {
    let principal = try request.visitor()
    let (campaign, owner, before) = try await census.view(principal, id)
    let category = request.query["category"].map { String($0.prefix(3)) }
    let origin: LineOrigin? = try request.queryChoice("origin")
    let after = request.query["after"].map { String($0.prefix(64)) }
    let posted = (0..<ReturnPage.linesOnPage).compactMap { entered["lines.\($0).code"] }
    let found =
      posted.isEmpty
      ? try await census.lines(
        principal,
        .init(
          campaign: campaign.id, owner: id, category: category, origin: origin,
          from: request.query["q"].map { String($0.prefix(64)) }, after: after, limit: ReturnPage.linesOnPage))
      : try await census.lines(principal, id, codes: posted)
    return ReturnPage(
      request: request, campaign: campaign, owner: owner, before: before, found: found, category: category,
      origin: origin, after: after, isOwn: principal.may(.fillCensus) && principal.organisation == owner.office,
      mayRun: principal.may(.runCensus), entered: entered, refusal: refusal,
      imported: refusal == nil
        ? request.query["imported"].flatMap { key in
          census.imported(key, id, of: principal, desk: desk).map { (key: key, summary: $0) }
        } : nil
    ).render()
  }

  // MARK: Files

  private var files: [Route] {
    [
      .get("/census/returns/{id}/lines.xlsx", .permission(.readCensus)) { request in
        let (name, bytes) = try await census.workbook(request.visitor(), request.id(), request.language)
        return .download(bytes, type: Self.workbookType, name: name)
      },
      .get("/census/returns/{id}/lines.csv", .permission(.readCensus)) { request in
        let (campaign, owner, lines) = try await census.allLines(request.visitor(), request.id())
        return .download(
          CensusTables.csv(lines, request.language), type: "text/csv; charset=utf-8",
          name: "\(campaign.name)-\(owner.officeName).csv")
      },
      .post(
        "/census/returns/{id}/workbook", .permission(.fillCensus),
        // The form's own parts around the file.
        bodyLimit: CensusWorkbook.mostBytes + 64 * 1024
      ) { request in
        let id: CensusReturnID = try request.id()
        do {
          guard let file = request.files.first(where: { $0.field == "workbook" }) else {
            throw Refusal.invalid(
              "census.workbook", "workbook", Text("请选择填好的 .xlsx 或 .csv 文件。", "Choose the .xlsx or .csv file."))
          }
          // Shown at an address of its own: neither reload nor back imports twice.
          let key = try await census.importFile(
            request.visitor(), id, file.path, named: file.name, desk: desk, request.language)
          return .redirect(CensusLink.imported(id, key))
        } catch let refusal as Refusal where [.invalid, .tooLarge].contains(refusal.kind) {
          return .page(try await page(request, id, refusal: refusal))
        }
      },
      .get("/census/rejected/{key}", .permission(.fillCensus)) { request in
        .download(
          try desk.rejected(request.parameters["key"] ?? "", of: request.visitor()), type: Self.workbookType,
          name: request.language("未导入的普查数据.xlsx", "census-not-imported.xlsx"))
      },
      .get("/census/returns/{id}/print", .permission(.readCensus)) { request in
        let principal = try request.visitor()
        let (campaign, owner, before) = try await census.view(principal, request.id())
        let found = try await census.lines(
          principal, .init(campaign: campaign.id, owner: owner.id, limit: ReturnPrint.mostLines))
        return .page(ReturnPrint(campaign: campaign, owner: owner, before: before, found: found).page(request))
      },
      .get("/census/campaigns/{id}/totals.xlsx", .permission(.readCensus)) { request in
        let (t, totals) = (request.language, try await census.totals(request.visitor(), request.id()))
        let classification = census.classification
        let bytes = try await BlockingThread.run {
          try Census.made { try CensusTables.write(totals, classification, to: $0, t) }
        }
        return .download(bytes, type: Self.workbookType, name: "\(totals.campaign.name).xlsx")
      },
      .get("/census/campaigns/{id}/totals.csv", .permission(.readCensus)) { request in
        let totals = try await census.totals(request.visitor(), request.id())
        return .download(
          CensusTables.csv(totals, request.language), type: "text/csv; charset=utf-8",
          name: "\(totals.campaign.name).csv")
      },
    ]
  }
}
