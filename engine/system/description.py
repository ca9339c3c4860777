"""The properties of a machine as frozen data: for the system description, tuning and comparison."""

import msgspec


class Cache(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of cache of the processors."""

    level: int
    kind: str
    """Data, Instruction or Unified."""
    bytes: int
    """Bytes of one instance."""
    instances: int

    @property
    def name(self) -> str:
        """L1d, L1i, L2, L3."""
        return f"L{self.level}{self.kind[0].lower() if self.kind != 'Unified' else ''}"


class Cpu(msgspec.Struct, frozen=True, kw_only=True):
    """The processors of a machine, and which of them this process may use."""

    model: str
    architecture: str
    """As the operating system names it: x86_64, aarch64, arm64."""
    sockets: int
    physical_cores: int
    logical_cores: int
    allowed_cores: int
    """Logical cores that this process may run on (its affinity)."""
    quota: float | None = None
    """CPU quota of the control group in cores; None is no limit."""
    mhz: float | None = None
    """Highest clock that the system reports; in a virtual machine often the present one."""
    caches: tuple[Cache, ...] = ()
    flags: tuple[str, ...] = ()
    """Instruction sets that matter for inference, by the kernel's names."""
    numa_nodes: int = 1

    @property
    def usable_cores(self) -> int:
        """Logical cores worth a thread: limited by affinity and quota, at least one."""
        return self.allowed_cores if self.quota is None else max(1, min(self.allowed_cores, int(self.quota)))


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Main memory, in bytes."""

    bytes: int
    limit: int | None = None
    """Limit of the control group; None is no limit."""

    @property
    def usable(self) -> int:
        """The most that a process can allocate."""
        return self.bytes if self.limit is None else min(self.bytes, self.limit)


class OperatingSystem(msgspec.Struct, frozen=True, kw_only=True):
    """The operating system."""

    name: str
    """For display: Debian GNU/Linux 12 (bookworm)."""
    kinds: tuple[str, ...]
    """Its own id and those of ID_LIKE, nearest first: ubuntu, debian."""
    kernel: str
    libc: str = ""


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """An accelerator."""

    model: str
    memory_bytes: int | None = None
    driver: str = ""


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """The file system that holds a path, in bytes."""

    bytes: int
    free: int
    kind: str = ""
    """ext4, xfs, nfs4 ..."""


class MachineDescription(msgspec.Struct, frozen=True, kw_only=True):
    """A machine as this process sees it."""

    hostname: str
    cpu: Cpu
    memory: Memory
    os: OperatingSystem
    python: str
    gpus: tuple[Gpu, ...] = ()
    compilers: dict[str, str] = {}
    """Command → first line of its version; only with `deep` detection."""
