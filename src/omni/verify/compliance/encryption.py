"""Whether a stored field is encrypted by the program, and with what.

These ways are seen: a type that encrypts (of a library by its name, of the program's own by what its class does); a
value that is encrypted wherever it is written (by a function that reaches a primitive), in a setter, a validator or a
listener too; pgcrypto in the statements; `/// @encrypted` of Prisma; a transformer or `EncryptedColumn` of TypeORM. A
name alone, such as `encrypted_email` or a project's own `EncryptedString` that encrypts nothing, is no proof.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.express import enclosed
from omni.verify.analysis.program import Routine
from omni.verify.analysis.python import dotted
from omni.verify.compliance.facts import Facts, Place, Sensitive
from omni.verify.parsing import walk

ENCRYPTED_TYPE = re.compile(r"encrypt|cipher|pgp|fernet|vaulted", re.IGNORECASE)
ENCRYPTS = re.compile(r"\b\w*(encrypt|encipher|seal|tokeni[sz]e|fernet|kms)\w*\s*\(", re.IGNORECASE)
PRIMITIVE = re.compile(
    r"\.encrypt\(|\bAES|Fernet|ChaCha20|SecretBox|SealedBox|\bkms\b|transit|createCipheriv|pgp_(sym|pub)_encrypt|age\.",
)
"""What really encrypts: the end of the way through functions of the program."""
PGCRYPTO = re.compile(r"pgp_(sym|pub)_encrypt\s*\(", re.IGNORECASE)
SHORT_KEY = re.compile(
    r"bit_length\s*=\s*(128|192)|(token_bytes|urandom|randomBytes)\((16|24)\)|aes-?(128|192)", re.IGNORECASE
)
AES_256 = re.compile(
    r"AESGCM|AESSIV|AesEngine|AesGcmEngine|aes-?256|\bAES\b|(String)?EncryptedType\(|/// @encrypted", re.IGNORECASE
)
"""EncryptedType of sqlalchemy-utils takes AesEngine unless told otherwise; its key is always made 32 bytes long."""
HOOKS = re.compile(r"\bvalidates\(|listens_for\(|field_validator\(|\.setter$")


def not_encrypted(facts: Facts, found: Sensitive, *, aes256: bool = False) -> str:
    """Why it does not count as encrypted; empty when it does."""
    how = _how(facts, found)
    if not how:
        return "is stored as plain text"
    if aes256:
        if "Fernet" in how and "AesEngine" not in how:
            return "is encrypted with Fernet, which is AES-128"
        if PGCRYPTO.search(how) and not re.search(r"cipher-algo=aes256", how):
            return "is encrypted by pgcrypto with its default, AES-128: say cipher-algo=aes256"
        if SHORT_KEY.search(how):
            return "is encrypted with a key of fewer than 256 bits"
        if not AES_256.search(how):
            return "is encrypted in a way that does not show AES-256"
    return ""


def plain_fields(facts: Facts, found: Iterator[Sensitive], *, aes256: bool = False) -> Iterator[Place]:
    for each in found:
        if why := not_encrypted(facts, each, aes256=aes256):
            yield Place(each.model.path, each.field.line, f"`{each.shown}` ({each.kind}) {why}")


def _how(facts: Facts, found: Sensitive) -> str:
    """The code that encrypts the field; empty when nothing does."""
    if found.model.language in {"prisma", "typescript"}:
        return _script_way(facts, found)
    return _type_way(facts, found) or _write_way(facts, found) or _statement_way(facts, found)


def _type_way(facts: Facts, found: Sensitive) -> str:
    declared = found.field.node
    texts = [found.field.type]
    for node in walk(declared) if declared is not None else ():
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        full = facts.program.resolve(found.field.module, dotted(node))
        if (kind := facts.program.classes.get(full)) is not None:
            text = ast.unparse(kind.node)
            own = [each for name in _methods(text) if (each := facts.program.method(kind, name))]
            code = "\n".join([text, *(each.text for start in own for each in facts.program.reach(start))])
            whole = _with_constants(facts, own, code)
            if re.search(r"\.encrypt\(", code) or (ENCRYPTS.search(code) and PRIMITIVE.search(whole)):
                return whole
            texts = [each.replace(kind.short, "") for each in texts]  # its name claims what it does not do
        elif (constant := facts.program.constant(found.field.module, dotted(node))) is not None:
            texts.append(ast.unparse(constant[1]))
    annotation = found.field.type.split(" ", 1)[0]
    if (kind := facts.program.classes.get(facts.program.resolve(found.field.module, annotation))) is not None:
        texts.append(ast.unparse(kind.node))
    whole = "\n".join(texts)
    named = re.sub(r"[\"'][^\"']*[\"']", "", whole)  # a column's name or comment encrypts nothing
    return whole if ENCRYPTED_TYPE.search(named) else ""


def _methods(text: str) -> list[str]:
    return re.findall(
        r"def (process_bind_param|get_prep_value|get_db_prep_value|bind_processor|bind_expression)\b", text
    )


def _write_way(facts: Facts, found: Sensitive) -> str:
    """The code of all writes, when each encrypts, or of a hook that every write passes."""
    ways: list[str] = []
    all_encrypt = True
    for routine, value in _writes(facts, found):
        way = _encrypting(facts, routine, value)
        hook = (
            any(HOOKS.search(ast.unparse(each)) for each in routine.node.decorator_list) or routine.node.name == "save"
        )
        if way and hook:
            return way
        ways.append(way)
        all_encrypt = all_encrypt and bool(way)
    return "\n".join(ways) if ways and all_encrypt else ""


def _writes(facts: Facts, found: Sensitive) -> Iterator[tuple[Routine, ast.expr]]:
    """(function, value) of every place that gives the field a value."""
    wanted = {found.field.attribute, found.field.name}
    for routine in facts.program.routines.values():
        held = facts.effects.variables(routine)
        for node in walk(routine.node):
            if isinstance(node, ast.Call) and facts.effects.named_in(routine.module, node.func) is found.model:
                for given in node.keywords:
                    if given.arg in wanted or (given.arg is None and not wanted & {each.arg for each in node.keywords}):
                        yield routine, given.value
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Attribute):
                target = node.targets[0]
                own = routine.owner is not None and routine.owner is found.model.cls and dotted(target.value) == "self"
                if target.attr in wanted and (own or held.get(dotted(target.value)) is found.model):
                    yield routine, node.value
            elif isinstance(node, ast.Return) and node.value is not None and _validates(routine, wanted, found):
                yield routine, node.value


def _validates(routine: Routine, wanted: set[str], found: Sensitive) -> bool:
    """`@validates("email")` in the model: what it returns is stored."""
    said = "".join(ast.unparse(each) for each in routine.node.decorator_list)
    return routine.owner is found.model.cls and "validates(" in said and any(f"'{name}'" in said for name in wanted)


def _encrypting(facts: Facts, routine: Routine, value: ast.expr) -> str:
    """The code that encrypts the value; empty when none does."""
    assigned = {
        dotted(target): node.value
        for node in walk(routine.node)
        if isinstance(node, ast.Assign)
        for target in node.targets
    }
    for _ in range(4):
        known = assigned.get(dotted(value)) if isinstance(value, ast.Name) else None
        if known is None:
            break
        value = known
    text = ast.unparse(value)
    if not ENCRYPTS.search(text):
        return ""
    own = [
        each for each in facts.program.referred(routine.module, value, routine) if ENCRYPTS.search(f"{each.node.name}(")
    ]
    reached = "\n".join(each.body for start in own for each in facts.program.reach(start))
    if own and not PRIMITIVE.search(_with_constants(facts, own, reached)):
        return ""  # it is called encrypt, and returns what it was given
    return f"{text}\n{_with_constants(facts, own, reached)}" if own else text


def _with_constants(facts: Facts, own: list[Routine], text: str) -> str:
    """With what it uses of the module's top (`_fernet = Fernet(key)`), and what the methods' classes hold."""
    owners = {each.owner.name: each.owner for each in own if each.owner is not None}
    text = "\n".join([text, *(ast.unparse(each.node) for each in owners.values())])
    modules = {routine.module for start in own for routine in facts.program.reach(start)}
    left = {(module, name) for module in modules for name in facts.program.modules[module].constants}
    while used := {each for each in left if re.search(rf"\b{re.escape(each[1])}\b", text)}:
        left -= used  # what they are made of counts, too: `_aes = AESGCM(KEY)`
        made = (ast.unparse(facts.program.modules[module].constants[name]) for module, name in sorted(used))
        text = "\n".join([text, *made])
    return text


def _statement_way(facts: Facts, found: Sensitive) -> str:
    """The statements that write the field, when each encrypts it: by pgcrypto, or with a value made by the program."""
    ways: list[str] = []
    name = re.escape(found.field.name)
    for routine in facts.program.routines.values():
        for effect in facts.effects.of(routine):
            if effect.model is not found.model or effect.kind not in {"create", "update"}:
                continue
            statement = ast.unparse(effect.node)
            if not re.search(rf"\b{name}\b", statement) or isinstance(effect.node, ast.Call | ast.Assign):
                continue
            way = statement if PGCRYPTO.search(statement) else ""
            if not way and (given := re.search(rf"\b\w*encrypt\w*\([^()]*\b{name}\b", routine.body, re.IGNORECASE)):
                way = given[0]
            if not way:
                return ""
            ways.append(way)
    ways += (
        each[0]
        for text in facts.sql
        for each in re.finditer(rf"insert\s+into\s+{re.escape(found.model.table)}\b[^;]*", text, re.IGNORECASE)
        if PGCRYPTO.search(each[0])
    )
    return "\n".join(ways)


def _script_way(facts: Facts, found: Sensitive) -> str:
    if re.search(r"///\s*@encrypted\b|EncryptedColumn", found.field.type):
        return f"{found.field.type} aes-256"
    if (named := re.search(r"transformer\s*:\s*(\w+)|transformer\s*:\s*new\s+(\w+)", found.field.type)) is not None:
        code = facts.scripts.reached(named[0])
        if ENCRYPTED_TYPE.search(named[0] + code):
            return named[0] + code
    values = list(_script_values(facts, found))
    if values and all(ENCRYPTS.search(value) for value in values):
        return "\n".join(facts.scripts.reached(value) for value in values)
    return ""


def _script_values(facts: Facts, found: Sensitive) -> Iterator[str]:
    """What the field is given in `prisma.user.create({ data: { email: … } })` and its like."""
    variable = found.model.name[:1].lower() + found.model.name[1:]
    call = re.compile(
        rf"\b(?:prisma\w*\.{variable}|{found.model.name}|{variable}s?(?:Repository|Repo))\.(create|update|upsert|save)\w*\("
    )
    given = re.compile(rf"\b{re.escape(found.field.attribute)}\s*(?::\s*(?P<value>[^,}}\n]+)|(?=[,}}]))")
    for text in facts.scripts.texts.values():
        for start in call.finditer(text):
            said = enclosed(text, start.end())
            data = (
                said.split("where", 1)[0]
                if "where" in said and "data" not in said
                else said[said.find("data") + 1 :]
                if "data" in said
                else said
            )
            yield from (each["value"] or "as it is" for each in given.finditer(data))
