"""A drop-in for users of the library `smartmoneyconcepts`: its functions, columns and numbers, or without hindsight.

from smc_trading_agent.smc_detector.compat import smc
"""

from smc_trading_agent.smc_detector.compat.functions import SmartMoneyConcepts
from smc_trading_agent.smc_detector.compat.hindsight import HindsightWarning

smc = SmartMoneyConcepts

__all__ = ["HindsightWarning", "SmartMoneyConcepts", "smc"]
