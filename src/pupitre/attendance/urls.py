from .office_urls import urlpatterns as office
from .register_urls import urlpatterns as registers

urlpatterns = [*registers, *office]
