package import Attachments
internal import Inventory
package import Kernel
package import Web

enum AttachmentLink {
  static func list(_ id: ResourceID) -> String { "/catalog/resources/\(id)/attachments" }
  static func file(_ id: ResourceID, version: Int, _ file: AttachmentID) -> String {
    "/catalog/resources/\(id)/attachments/\(file)?version=\(version)"
  }
  static func print(_ id: ResourceID, version: Int) -> String { "/catalog/resources/\(id)/print?version=\(version)" }
  static func bundle(_ id: ResourceID, version: Int) -> String {
    "/catalog/resources/\(id)/bundle.zip?version=\(version)"
  }
}

/// Attachments, each a download at `href`; with `remove`, a button beside each.
package func attachmentsTable(
  _ t: Language, _ files: [Attachment], empty: Text, href: (Attachment) -> String, remove: ((Attachment) -> HTML)? = nil
) -> HTML {
  let rows = files.map { file in
    """
    <tr><td><a href="\(href(file))">\(file.name)</a></td>\
    <td>\(file.note.isEmpty ? "—" : "\(file.note)")</td><td>\(t(file.kind.title))</td><td class="number">\(byteCount(Int64(file.size)))</td>\
    <td>\(shortened(file.digest))</td><td>\(time(file.addedAt)) \(file.addedBy)</td>\(remove.map { "<td>\($0(file))</td>" as HTML })</tr>
    """ as HTML
  }.joined()
  return table(
    caption: t("附件（\(files.count)）", "Attachments (\(files.count))"),
    columns: [
      Column(t("文件", "File")), Column(t("说明", "What it is")), Column(t("类型", "Kind")),
      Column(t("大小", "Size"), numeric: true), Column(t("SM3 摘要", "SM3 digest")), Column(t("添加", "Added")),
    ] + (remove == nil ? [] : [Column("")]), rows: rows, empty: emptyState(t(empty)))
}

/// What an attachment is sent with: the file, and what it is. `such` is an example of that.
package func attachmentFields(
  _ t: Language, _ attachments: Attachments, such: Text, values: Fields, faults: [Refusal.Fault]
) -> HTML {
  let scanner = attachments.scanner.name
  let scanned =
    scanner.isEmpty
    ? Text("本节点没有设置病毒扫描。", "No virus scanner is set up on this node.")
    : Text("上传时由 \(scanner) 扫描病毒。", "Scanned by \(scanner) as they come.")
  let mebibytes = attachments.mostBytes >> 20
  let file = Field(
    "file", Text("文件", "File"), .file,
    hint: Text(
      "\(FileKind.offered)，每个不超过 \(mebibytes) MiB，按内容识别类型。\(scanned.chinese)",
      "\(FileKind.offered); at most \(mebibytes) MiB each; the kind is told by the content. \(scanned.english)"))
  let note = Field(
    "note", Text("说明", "What it is"), .text(maxLength: Attachment.limits.note), required: false, hint: such)
  return field(t, file, value: Fields(), faults: faults) + field(t, note, value: values, faults: faults)
}

private func versionAttachments(
  _ t: Language, _ resource: Resource, _ files: [Attachment], remove: ((Attachment) -> HTML)? = nil
) -> HTML {
  attachmentsTable(
    t, files,
    empty: Text(
      "没有附件。不予共享的依据、共享条件的文件可附在这里。",
      "No attachments. The basis for not sharing or the conditions of sharing belong here."),
    href: { AttachmentLink.file(resource.id, version: resource.version, $0.id) }, remove: remove)
}

/// On the entry's page; nothing where there is none and nothing to do.
func attachmentsPart(_ t: Language, _ view: ResourceView) -> HTML {
  let mayEdit = view.isOwn && view.resource.state.isEditable
  guard !view.attachments.isEmpty || mayEdit else { return .nothing }
  return panel(
    t("附件", "Attachments"), id: "attachments",
    actions: mayEdit
      ? buttonLink(t("添加附件", "Attach"), href: AttachmentLink.list(view.resource.id)) : .nothing,
    versionAttachments(t, view.resource, view.attachments))
}

/// Where files are added to the version being written, and removed; of any other, what it has and where one goes on.
func attachmentsPage(
  _ request: Request, _ resource: Resource, _ files: [Attachment], _ attachments: Attachments, refusal: Refusal?
) -> Page {
  let t = request.language
  let title = Text("附件", "Attachments")
  let isOpen = resource.state.isEditable
  let remove: (Attachment) -> HTML = { file in
    form(
      request, action: AttachmentLink.list(resource.id) + "/remove",
      confirm: Text("移除附件“\(file.name)”？", "Remove “\(file.name)”?"),
      "<input type=\"hidden\" name=\"attachment\" value=\"\(file.id)\">\(button(t("移除", "Remove"), .danger))")
  }
  let mayBeginNext = resource.state == .published || (resource.state == .discarded && resource.version > 1)
  let entry = CatalogLink.resource(resource.id, version: resource.version)
  let adding = panel(
    t("添加附件", "Attach a file"), id: "attach",
    form(
      request, action: AttachmentLink.list(resource.id), upload: true,
      """
      \(attachmentFields(
        t, attachments, such: Text("例如：不予共享的法律依据", "such as: the legal basis for not sharing"),
        values: request.form, faults: refusal?.faults ?? []))\
      \(buttons(button(t("添加", "Attach")), buttonLink(t("返回编辑", "Back to the entry"), href: CatalogLink.edit(resource.id))))
      """))
  let closed: HTML = """
    \(note(.neutral, "<p>\(t("第 \(resource.version) 版的状态是“\(resource.state.title.chinese)”，不能增减附件。", "Version \(resource.version) is “\(resource.state.title.english)”; its attachments stay as they are."))</p>"))\
    \(when: mayBeginNext, form(request, action: CatalogLink.step(resource.id, "change"), buttons(button(t("编制新版本", "Write a new version")))))\
    \(buttons(buttonLink(t("返回目录", "Back to the entry"), href: entry)))
    """
  return Page(
    title, section: .catalog, status: refusal?.status ?? 200,
    trail: [catalogTrail, (Text(same: resource.metadata.name), entry)],
    within: isOpen ? CatalogLink.work : nil,
    body: """
      \(heading("\(t(title))\(t.colon)\(resource.metadata.name)", state: stateBadge(t, resource.state)))\(faultSummary(t, refusal))\
      \(versionAttachments(t, resource, files, remove: isOpen ? remove : nil))\
      \(isOpen ? adding : closed)
      """)
}
