"""The catalogue's work, done by its people in the browser before the pages are looked at.

The demo has one entry in force. This leaves behind what else the pages show: an entry with two versions, a second one
waiting for review that resembles it, a saved search, an objection, a rating, a question, and a census under way. Every
step goes through the forms, with JavaScript, so a form that a browser would not send fails here.
"""

import re

NAME = "企业年报抽查结果信息"
ITEMS = [("统一社会信用代码", "uscc", "18"), ("抽查批次", "batch", "30"), ("抽查结论", "conclusion", "60")]


class Person:
    """Somebody at work: one window, wide, in Chinese."""

    def __init__(self, site, account):
        self.site, self.login = site, account["login"]
        self.page = site.context(site.sign_in(account), 1280, "zh-CN").new_page()

    def go(self, address):
        self.page.goto(self.site.base + address)

    def press(self, label):
        """The button or link with this label; whether the page that answers was not refused."""
        main = self.page.locator("main")
        here = main.get_by_role("button", name=label, exact=True).or_(main.get_by_role("link", name=label, exact=True))
        with self.page.expect_navigation() as answer:
            here.first.click()
        status = answer.value.status if answer.value else 0
        self.site.check(status == 200, f"{self.login} presses {label}", f"status {status} at {self.page.url}")

    def fill(self, **fields):
        for name, value in fields.items():
            self.page.fill(f"main [name={name}]", value)

    def choose(self, **fields):
        for name, value in fields.items():
            self.page.select_option(f"main [name={name}]", value)

    def leave(self):
        self.page.context.close()


def compile_entry(officer, name, abstract):
    """An entry by hand, submitted; its id."""
    officer.go("/catalog/new")
    officer.fill(name=name)
    officer.press("开始编制")
    entry = re.search(r"/resources/([0-9a-f-]+)", officer.page.url)[1]
    officer.fill(abstract=abstract, sharingCondition="因履行监管职责需要的政务部门可以申请。")
    officer.page.select_option("main [name=format]", label="数据库 · KingbaseES")
    officer.page.select_option("main [name=system]", index=1)
    officer.choose(sharingType="2", methodClass="1", methodType="1", openType="3", cycle="6")
    officer.press("保存")
    for title, column, length in ITEMS:
        officer.go(f"/catalog/resources/{entry}/items")
        officer.page.fill("[name='new.name']", title)
        officer.page.fill("[name='new.column']", column)
        officer.page.fill("[name='new.length']", length)
        officer.press("添加")
    officer.go(f"/catalog/resources/{entry}")
    officer.press("提交审核")
    return entry


def decide(operator, entry, label):
    operator.go(f"/catalog/review/{entry}")
    operator.press(label)


def do(site, people):
    officer, operator, clerk = (Person(site, people[who]) for who in ("ma.officer", "zhang.operator", "li.clerk"))
    entry = compile_entry(officer, NAME, "企业年度报告公示信息抽查的结果，含抽查批次、结论和处理措施。")
    decide(operator, entry, "通过并发布")
    officer.go(f"/catalog/resources/{entry}")
    officer.press("编制新版本")
    officer.fill(abstract="企业年度报告公示信息抽查的结果，含抽查批次、结论、处理措施和复查情况。")
    officer.press("保存")
    officer.go(f"/catalog/resources/{entry}/submit")
    officer.page.check("[name=kind][value=correction]")
    officer.fill(words="补充复查情况")
    officer.press("提交审核")
    decide(operator, entry, "通过并发布")
    returned = compile_entry(officer, "年报抽查的企业名单", "被抽查年度报告的企业名单，含批次和结论。")
    operator.go(f"/catalog/review/{returned}")
    operator.fill(reasons="请说明与已有目录的区别。")
    operator.press("退回")
    compile_entry(officer, "企业年度报告抽查结果", "企业年度报告抽查的结果，含批次、结论和处理措施。")

    clerk.go("/catalog?mounted=0")
    clerk.press("收藏这个检索")
    clerk.fill(name="未挂接的目录")
    clerk.page.locator("main form[method=post] button.primary").click()
    clerk.go(f"/feedback/objections/new?resource={entry}")
    clerk.page.select_option("main [name=kind]", index=1)
    clerk.fill(words="抽查结论应有代码表。")
    clerk.press("提交给提供部门")
    clerk.go(f"/feedback/resources/{entry}")
    clerk.page.locator("[name=score]").nth(3).check()
    clerk.press("评分")
    clerk.page.locator("main [name=words]").last.fill("抽查批次怎么编号？")
    clerk.press("提问")

    # One census runs at a time: the demo's own ends first.
    operator.go("/census")
    operator.page.locator("main table a").first.click()
    operator.press("结束普查")
    operator.press("结束普查")
    operator.go("/census/new")
    operator.fill(name="2026 年政务信息资源普查")
    operator.press("发起")
    for person in (officer, operator, clerk):
        person.leave()
