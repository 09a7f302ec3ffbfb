"""Prices from outside: the price list of AWS, as a file, from the web or by its
API, and sheets of users."""

from compute_optimizer.sources.prices.cache import PriceCache as PriceCache
from compute_optimizer.sources.prices.lines import WEB as WEB
from compute_optimizer.sources.prices.offers import OFFERS as OFFERS
from compute_optimizer.sources.prices.offers import Offer as Offer
from compute_optimizer.sources.prices.price_list import offer_url as offer_url
from compute_optimizer.sources.prices.price_list import read_price_list as read_price_list
from compute_optimizer.sources.prices.pricing_api import ENDPOINTS as ENDPOINTS
from compute_optimizer.sources.prices.pricing_api import PricingApi as PricingApi
from compute_optimizer.sources.prices.pricing_api import check_endpoint as check_endpoint
from compute_optimizer.sources.prices.sheet import read_price_sheet as read_price_sheet
