"""A disk that has lost its power: from the system calls of a run, every state that the files may
be found in afterwards.

The rules are the weakest ones that POSIX allows. What was written to a file is certain only after
an fsync of that file, and that a folder has an entry only after an fsync of that folder. Up to
then any of the writes may be missing, in any order, and a write may be there in part, or as zeros
of the right length. A rename happens whole or not at all.

For each moment the variants are, of the files: nothing of what is uncertain, all of it, each
prefix of it, all but one, and one alone; the last one also in halves, cut at a sector, and as
zeros. Of the folders the same, without parts. Variants of files are combined with folders as they
were asked for and with certain ones, variants of folders with files in both extremes.
"""

import functools
import posixpath
from dataclasses import dataclass, field

SECTOR = 512
CALLS = ("open,openat,creat,close,write,writev,pwrite64,pwritev,ftruncate,truncate,fallocate,"
         "fsync,fdatasync,sync_file_range,msync,mkdir,mkdirat,rename,renameat,renameat2,link,"
         "linkat,symlink,symlinkat,unlink,unlinkat,rmdir,dup,dup2,dup3,fcntl,copy_file_range,"
         "sendfile,fork,vfork,clone,clone3,exit_group,sendto")


@dataclass(eq=False)
class Write:
    offset: int
    data: bytes

    def __post_init__(self):
        self.parts = functools.cache(self.parts)

    def apply(self, content):
        if len(content) < self.offset:
            content.extend(bytes(self.offset - len(content)))
        content[self.offset:self.offset + len(self.data)] = self.data

    def parts(self):
        """What of it may have reached the disk, if it was the last one to go."""
        length, middle = len(self.data), len(self.data) // 2
        cuts = {middle, middle // SECTOR * SECTOR, length - 1} - {0}
        parts = [self.data[:cut] for cut in sorted(cuts)]
        parts += [bytes(length), bytes(middle) + self.data[middle:]]
        return [Write(self.offset, part) for part in parts]


@dataclass(eq=False)
class Truncate:
    length: int

    def apply(self, content):
        if len(content) > self.length:
            del content[self.length:]
        else:
            content.extend(bytes(self.length - len(content)))

    def parts(self):
        return ()


@dataclass(eq=False)
class Entry:
    """A name gets another node, or none; a rename does so with two names at once."""
    changes: dict

    def apply(self, names):
        for name, node in self.changes.items():
            if node is None:
                names.pop(name, None)
            else:
                names[name] = node

    def parts(self):
        return ()


@dataclass(eq=False)
class Node:
    """A file (bytes) or a folder (name to node): what is certain, and what came after it."""
    certain: object
    uncertain: list = field(default_factory=list)
    made: dict = field(default_factory=dict)      # values, by the operations that make them

    @property
    def is_folder(self):
        return isinstance(self.certain, dict)

    def now(self):
        return self.after(self.uncertain)

    def after(self, operations):
        operations = tuple(operations)
        if operations not in self.made:
            value = dict(self.certain) if self.is_folder else bytearray(self.certain)
            for operation in operations:
                operation.apply(value)
            self.made[operations] = value if self.is_folder else bytes(value)
        return self.made[operations]

    def do(self, operation):
        self.uncertain.append(operation)

    def sync(self):
        self.certain, self.uncertain, self.made = self.now(), [], {}

    def variants(self):
        """Lists of operations that may have been the ones to get through."""
        every = self.uncertain
        yield []
        for number in range(len(every)):
            yield every[:number + 1]
            yield every[:number] + every[number + 1:]
            yield [every[number]]
            for part in every[number].parts():
                yield every[:number] + [part]
                yield [part]


class Disk:
    """Follows the calls of one process (the supervisor; workers are jailed, and write nothing)
    below a folder whose own entry is certain."""

    def __init__(self, root):
        self.root = str(root)
        self.top = Node({})
        self.open = {}                            # descriptor: [node, position, appends]

    # --- names -------------------------------------------------------------------------

    def parts_of(self, path):
        inside = posixpath.relpath(path, self.root)
        return None if inside.startswith("..") else [p for p in inside.split("/") if p != "."]

    def find(self, parts):
        node = self.top
        for part in parts:
            node = node.now().get(part) if node is not None and node.is_folder else None
        return node

    def place(self, descriptor, name):
        """(folder's node, name in it) of a path argument; None if it is none of ours."""
        path = name.decode()
        if not path.startswith("/"):
            path = posixpath.join(descriptor[1] if descriptor else self.root, path)
        parts = self.parts_of(path)
        if not parts:
            return None
        return self.find(parts[:-1]), parts[-1]

    # --- calls -------------------------------------------------------------------------

    def feed(self, call):
        """Whether the call has changed anything on the disk."""
        if call.result < 0:
            return False
        handler = getattr(self, f"on_{call.name}", None)
        return bool(handler and handler(call))

    def on_openat(self, call):
        if call.opened == self.root:
            self.open[call.result] = [self.top, 0, False]
            return False
        place = self.place(call.descriptors[0], call.strings[0])
        if place is None:
            return False
        folder, name = place
        node, changed = folder.now().get(name), False
        if node is None:
            node, changed = Node(b""), True
            assert call.has("O_CREAT"), f"{name} was never made: {call}"
            folder.do(Entry({name: node}))
        if call.has("O_TRUNC") and node.now():
            node.do(Truncate(0))
            changed = True
        self.open[call.result] = [node, 0, call.has("O_APPEND")]
        return changed

    def on_open(self, call):
        raise NotImplementedError(call)

    on_creat = on_dup = on_dup2 = on_dup3 = on_copy_file_range = on_sendfile = on_open
    on_fallocate = on_truncate = on_pwritev = on_symlink = on_symlinkat = on_rmdir = on_open

    def handle(self, call):
        return self.open.get(int(call.descriptors[0][0])) if call.descriptors else None

    def on_close(self, call):
        self.open.pop(int(call.descriptors[0][0]), None)

    def on_fcntl(self, call):
        assert not (self.handle(call) and call.has("F_DUPFD")), call

    def on_write(self, call):
        handle = self.handle(call)
        if handle is None:
            return False
        node, position, appends = handle
        offset = len(node.now()) if appends else position
        node.do(Write(offset, call.strings[-1][:call.result]))
        handle[1] = offset + call.result
        return True

    def on_pwrite64(self, call):
        handle = self.handle(call)
        if handle is None:
            return False
        handle[0].do(Write(call.numbers[-1], call.strings[-1][:call.result]))
        return True

    def on_writev(self, call):
        assert self.handle(call) is None, call

    def on_ftruncate(self, call):
        handle = self.handle(call)
        if handle is None:
            return False
        handle[0].do(Truncate(call.numbers[-1]))
        return True

    def on_fsync(self, call):
        handle = self.handle(call)
        if handle is None:
            return False
        handle[0].sync()
        return True

    on_fdatasync = on_fsync

    def one_place(self, call):
        whence = call.descriptors[0] if call.name.endswith("at") else None
        return self.place(whence, call.strings[0]) or (None, None)

    def on_mkdirat(self, call):
        folder, name = self.one_place(call)
        if folder is None:
            return False
        folder.do(Entry({name: Node({})}))
        return True

    def on_unlinkat(self, call):
        folder, name = self.one_place(call)
        if folder is None:
            return False
        folder.do(Entry({name: None}))
        return True

    on_mkdir, on_unlink = on_mkdirat, on_unlinkat

    def two_places(self, call):
        whence = call.descriptors if call.name.endswith("at") else [None, None]
        places = [self.place(one, name) for one, name in zip(whence, call.strings)]
        if None in places:
            return None
        (folder, old), (other, new) = places
        assert folder is other, f"across folders: {call}"
        return folder, old, new

    def on_renameat(self, call):
        folder, old, new = self.two_places(call) or (None, None, None)
        if folder is None:
            return False
        folder.do(Entry({new: folder.now()[old], old: None}))
        return True

    on_rename = on_renameat

    def on_linkat(self, call):
        folder, old, new = self.two_places(call) or (None, None, None)
        if folder is None:
            return False
        folder.do(Entry({new: folder.now()[old]}))
        return True

    on_link = on_linkat

    # --- the power goes ----------------------------------------------------------------

    def nodes(self):
        """Every node that any state may show, once."""
        found, queue = {}, [self.top]
        while queue:
            node = queue.pop()
            if id(node) in found:
                continue
            found[id(node)] = node
            if node.is_folder:
                queue += node.certain.values()
                queue += [one for entry in node.uncertain for one in entry.changes.values() if one]
        return list(found.values())

    def tree(self, choice, otherwise):
        """{path: content} if these operations of a node got through, and of the others what
        `otherwise` says."""
        def walk(node, path, into):
            operations = choice.get(id(node))
            value = node.after(otherwise(node) if operations is None else operations)
            if node.is_folder:
                for name, below in value.items():
                    walk(below, f"{path}/{name}" if path else name, into)
            else:
                into[path] = value
            return into
        return walk(self.top, "", {})

    def states(self):
        """Every {path: content} that may be found now; first, the one that is certain."""
        def nothing(node):
            return []

        def everything(node):
            return node.uncertain

        def only_folders(node):
            return node.uncertain if node.is_folder else []

        def only_files(node):
            return [] if node.is_folder else node.uncertain

        ways = (nothing, everything, only_folders, only_files)
        for way in ways:
            yield self.tree({}, way)
        for node in self.nodes():
            if node.uncertain:
                for operations in node.variants():
                    for way in ways:
                        yield self.tree({id(node): operations}, way)
